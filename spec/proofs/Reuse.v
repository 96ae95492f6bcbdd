(** D4, D5: never stale, never twice. One data node, with given eager cells; its body asks for lazy inputs and variables (D8).
    What it is answered are cells, or that there is nothing. *)
From Coq Require Import List Arith Lia Bool Permutation.
Import ListNotations.
Section Memo.
Variables (K A O : Type).                        (* questions, answers (cells, or unset), what it gives *)
Inductive body := Give (o : O) | Ask (q : K) (k : A -> body).
Definition record := (list (K * A) * O)%type.    (* a remembered evaluation: its questions with their answers, and its outputs *)
(** [env]: how a strand's store answers now; it does not change while the strand demands (T7). *)
Fixpoint eval (env : K -> A) (b : body) : record :=
  match b with Give o => ([], o) | Ask q k => let r := eval env (k (env q)) in ((q, env q) :: fst r, snd r) end.
Definition fits (env : K -> A) (r : record) := forall q a, In (q, a) (fst r) -> env q = a.

(** D4, step 3: what fits is what the body would give now, asked in the same order. *)
Theorem never_stale b : forall env0 env, fits env (eval env0 b) -> eval env b = eval env0 b.
Proof.
  induction b as [o|q k IH]; simpl; auto. intros env0 env F.
  assert (E : env q = env0 q) by (apply F; left; auto). rewrite E.
  assert (F' : fits env (eval env0 (k (env0 q)))) by (intros x a I; apply F; right; auto). now rewrite (IH _ _ _ F').
Qed.
Lemma own_fits b env : fits env (eval env b).
Proof. induction b as [o|q k IH]; intros x a; simpl; [tauto|]. intros [[= <- <-]|I]; auto. eapply IH; eauto. Qed.

(** D4, step 3: candidates with the same answers so far have the same next question, or both have none. *)
Theorem same_question b : forall e1 e2 t q1 a1 r1 r2, fst (eval e1 b) = t ++ (q1, a1) :: r1 -> fst (eval e2 b) = t ++ r2 ->
  exists a2 r, r2 = (q1, a2) :: r.
Proof.
  induction b as [o|q k IH]; simpl; intros e1 e2 t q1 a1 r1 r2 H1 H2; [destruct t; discriminate|].
  destruct t as [|x t]; simpl in *; injection H1 as E1 E2; [subst; eauto|].
  injection H2 as E3 E4. assert (E : e2 q = e1 q) by congruence. rewrite E in E4. eapply IH; eauto.
Qed.

(** D5: strands (any number, in any order) that look, evaluate if nobody does and nothing fits, are cut off or fail. *)
Variable node : body.
Inductive moves : list record * option record -> list record * option record -> Prop :=
| m_start known env : (forall r, In r known -> ~ fits env r) -> moves (known, None) (known, Some (eval env node))
| m_end known r : moves (known, Some r) (known ++ [r], None)
| m_cut known r : moves (known, Some r) (known, None).
Inductive reach : list record * option record -> Prop :=
| r_none : reach ([], None)
| r_more s s' : reach s -> moves s s' -> reach s'.

(** D5: no two evaluations that ended well had the same cells and answers, that is, the same key (INTERPRETING 7). *)
Theorem never_twice known now : reach (known, now) ->
  NoDup (map fst known) /\ (forall r, In r known -> exists env, r = eval env node) /\
  match now with Some r => ~ In (fst r) (map fst known) /\ exists env, r = eval env node | None => True end.
Proof.
  intro H. remember (known, now) as s eqn:E. revert known now E.
  induction H as [|s s' _ IH M]; intros known now E; [inversion E; subst; simpl; repeat split; [constructor|tauto]|].
  destruct M; inversion E; subst; destruct (IH _ _ eq_refl) as (ND & Made & Now).
  - split; auto. split; auto. split; [|eauto]. intro I. apply in_map_iff in I. destruct I as (r & E1 & I).
    apply (H r I). intros q a J. rewrite E1 in J. eapply own_fits; eauto.
  - destruct Now as (N & env & ->). split; [|split; auto].
    + rewrite map_app; simpl. eapply Permutation_NoDup; [apply Permutation_cons_append|]. constructor; auto.
    + intros r I. apply in_app_or in I. destruct I as [I|[<-|[]]]; eauto.
  - auto.
Qed.
End Memo.

(* ------------------------------------------------------------------ through any depth of data nodes *)
(** A network of data nodes, which ask for places of the store and for each other, eager inputs first (D7). The output of a
    data node is known by the evaluation that made it: by the node, and by what it was answered (INTERPRETING 7). *)
Section Network.
Variables (P C N O : Type).                      (* places, cells, data nodes, what an evaluation gives *)
Inductive question := Place (p : P) | Data (n : N).
Inductive answer := Cell (c : C) | Made (n : N) (l : list (question * answer)) (o : O).
Variable node : N -> body question answer O.

(** A demand, where these evaluations are remembered, and the store is [now]: one that fits is used again, or the body is run. *)
Inductive demand (known : list answer) (now : P -> C) : N -> answer -> Prop :=
| n_reuse n l o : In (Made n l o) known -> (forall q a, In (q, a) l -> answers known now q a) -> demand known now n (Made n l o)
| n_evaluate n l o : evaluates known now (node n) l o -> demand known now n (Made n l o)
with answers (known : list answer) (now : P -> C) : question -> answer -> Prop :=
| n_place p : answers known now (Place p) (Cell (now p))
| n_data n r : demand known now n r -> answers known now (Data n) r
with evaluates (known : list answer) (now : P -> C) : body question answer O -> list (question * answer) -> O -> Prop :=
| n_give o : evaluates known now (Give _ _ _ o) [] o
| n_ask q k a l o : answers known now q a -> evaluates known now (k a) l o -> evaluates known now (Ask _ _ _ q k) ((q, a) :: l) o.
Scheme demand_mut := Induction for demand Sort Prop with answers_mut := Induction for answers Sort Prop
  with evaluates_mut := Induction for evaluates Sort Prop.
Combined Scheme demand_ind3 from demand_mut, answers_mut, evaluates_mut.

Lemma again known now before b l o : evaluates known before b l o -> (forall q a, In (q, a) l -> answers known now q a) -> evaluates known now b l o.
Proof. induction 1; intro H'; constructor; [apply H'; left; auto|apply IHevaluates; intros; apply H'; right; auto]. Qed.

Lemma from_scratch known now : (forall r, In r known -> exists before n, demand [] before n r) ->
  (forall n r, demand known now n r -> demand [] now n r) /\ (forall q a, answers known now q a -> answers [] now q a) /\
  (forall b l o, evaluates known now b l o -> evaluates [] now b l o).
Proof.
  intro K. apply demand_ind3.
  - intros n l o I _ IH. destruct (K _ I) as (before & m & D). inversion D; subst; [match goal with H : In _ [] |- _ => destruct H end|].
    apply n_evaluate. eapply again; eauto.
  - intros. now apply n_evaluate.
  - intros. apply n_place.
  - intros. now apply n_data.
  - intros. apply n_give.
  - intros. now apply n_ask.
Qed.
Lemma scratch_is_one now : (forall n r, demand [] now n r -> forall r', demand [] now n r' -> r = r') /\
  (forall q a, answers [] now q a -> forall a', answers [] now q a' -> a = a') /\
  (forall b l o, evaluates [] now b l o -> forall l' o', evaluates [] now b l' o' -> l = l' /\ o = o').
Proof.
  apply demand_ind3.
  - intros n l o [].
  - intros n l o _ IH r' D. inversion D; subst; [match goal with H : In _ [] |- _ => destruct H end|].
    destruct (IH _ _ H) as [-> ->]. auto.
  - intros p a' A. now inversion A.
  - intros n r _ IH a' A. inversion A; subst. auto.
  - intros o l' o' E. now inversion E.
  - intros q k a l o _ IHa _ IHe l' o' E. inversion E as [|? ? a' l2 ? A E2]; subst.
    rewrite <- (IHa _ A) in E2. destruct (IHe _ _ E2) as [-> ->]. now rewrite (IHa _ A).
Qed.

(** D4, D8: through any depth: whatever is remembered, made by any strands from any stores, a demand is answered by what running
    all bodies anew would give, from the store as it is now. *)
Theorem never_stale_at_any_depth known now n r r' : (forall r, In r known -> exists before n, demand [] before n r) ->
  demand known now n r -> demand [] now n r' -> r = r'.
Proof. intros K D D'. eapply (proj1 (scratch_is_one now)); eauto. eapply (proj1 (from_scratch known now K)); eauto. Qed.
End Network.
