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
