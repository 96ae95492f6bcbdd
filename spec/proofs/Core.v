(** The core: strands, forks, joins (spec/rules/fork.md), for any deterministic bodies.

    A strand is any deterministic automaton ([act]) over a store of its own. That covers every language of bodies,
    triggers, hand-over, loops and paths: they are control inside one strand. Data nodes have no effects (D8) and are
    never stale (D4, Reuse.v), so what they give is a function of what a strand sees ([See]). *)
From Coq Require Import List Arith Lia Bool.
From TF Require Export Store.
Import ListNotations.
Set Implicit Arguments.

(** What a strand does next: an action of a control state in [Q]. *)
Inductive action (P V Q R : Type) :=
| See (k : (P -> option V) -> Q)                        (* read what the strand sees; also: go on by itself *)
| Write (p : P) (v : V) (k : Q)                         (* D9 *)
| Fork (g : nat) (limit : nat) (child : Q) (k : Q)      (* F1, into group g; limit 0: any number (S3) *)
| Join (g : nat) (k : bool -> list (list P) -> list R -> Q)   (* F5: whether all merged, and the conflicts of each (F4) *)
| Drop (g : nat) (k : list R -> Q)                      (* S6: wait, and merge nothing *)
| Halt (r : R)
| Fail.                                                 (* it fails, and nothing catches that: see Failures.v *)

Arguments See {P V Q R}. Arguments Write {P V Q R}. Arguments Fork {P V Q R}. Arguments Join {P V Q R}.
Arguments Drop {P V Q R}. Arguments Halt {P V Q R}. Arguments Fail {P V Q R}.

Section Core.
Variables (P V Q R : Type).                     (* places, values, control states, what a strand ends with *)
Variable P_dec : forall a b : P, {a = b} + {a <> b}.
Variable policy_of : P -> policy V.
Variable places : list P.                       (* all that there are *)
Variable act : Q -> action P V Q R.

Notation store := (store P V).
Notation write := (write P_dec).
Notation joins := (joins P_dec policy_of places).
Notation told := (told P_dec policy_of places).
Notation ended_fork := (ended_fork P V R).

(* ------------------------------------------------------------------ strands *)
(** F2: a strand with its store and with the forks that it owns and has not joined, in the order in which they were made;
    each with its group and with its owner's store at the fork. *)
Inductive tree := T (s : Q) (st : store) (f : forest)
with forest := Nil | Cons (g : nat) (base : store) (t : tree) (f : forest).

Scheme tree_mut := Induction for tree Sort Prop
with forest_mut := Induction for forest Sort Prop.
Combined Scheme tree_forest_ind from tree_mut, forest_mut.

Definition ended (t : tree) : option (store * R) :=
  match t with T s st Nil => match act s with Halt r => Some (st, r) | _ => None end | _ => None end.

(** F3: the order of the forks is that in which they were made. *)
Fixpoint snoc (f : forest) g b t := match f with Nil => Cons g b t Nil | Cons g' b' t' f' => Cons g' b' t' (snoc f' g b t) end.

(** F5: the ended forks of group g, or nothing if one of them has not ended. *)
Fixpoint take (g : nat) (f : forest) : option (list ended_fork) :=
  match f with
  | Nil => Some []
  | Cons g' b t f' =>
      if Nat.eqb g g' then
        match ended t, take g f' with Some (st, r), Some l => Some ((b, st, r) :: l) | _, _ => None end
      else take g f'
  end.
Fixpoint drop (g : nat) (f : forest) : forest :=
  match f with Nil => Nil | Cons g' b t f' => if Nat.eqb g g' then drop g f' else Cons g' b t (drop g f') end.
(** S3: how many of group g are in flight. *)
Fixpoint live (g : nat) (f : forest) : nat :=
  match f with
  | Nil => 0
  | Cons g' _ t f' => (if Nat.eqb g g' then match ended t with Some _ => 0 | None => 1 end else 0) + live g f'
  end.
Definition room (limit n : nat) : Prop := limit = 0 \/ n < limit.

(** Small steps: any strand that can go on may be the next. That is every schedule there is. *)
Inductive step : tree -> tree -> Prop :=
| s_see s st f k : act s = See k -> step (T s st f) (T (k (vals st)) st f)
| s_write s st f p v k : act s = Write p v k -> step (T s st f) (T k (write st p v) f)
| s_fork s st f g n q k : act s = Fork g n q k -> room n (live g f) ->
    step (T s st f) (T k (tick st) (snoc f g st (T q (tick st) Nil)))
| s_join s st f g k l : act s = Join g k -> take g f = Some l ->
    step (T s st f) (T (k (snd (joins st l)) (told st l) (results l)) (fst (joins st l)) (drop g f))
| s_drop s st f g k l : act s = Drop g k -> take g f = Some l ->
    step (T s st f) (T (k (results l)) st (drop g f))
| s_child s st f f' : stepF f f' -> step (T s st f) (T s st f')
with stepF : forest -> forest -> Prop :=
| s_here g b t t' f : step t t' -> stepF (Cons g b t f) (Cons g b t' f)
| s_there g b t f f' : stepF f f' -> stepF (Cons g b t f) (Cons g b t f').

(* ------------------------------------------------------------------ two steps commute *)
Lemma ended_no_step t x t' : ended t = Some x -> step t t' -> False.
Proof.
  destruct t as [s st [|]]; simpl; try discriminate.
  destruct (act s) eqn:E; try discriminate. intros _ H.
  inversion H; subst; try congruence. inversion H4.
Qed.

Lemma take_step g f f' l : stepF f f' -> take g f = Some l -> take g f' = Some l.
Proof.
  intro H; revert l; induction H; simpl; intros l.
  - destruct (Nat.eqb g g0); auto.
    destruct (ended t) as [[]|] eqn:E; try discriminate. exfalso; eapply ended_no_step; eauto.
  - destruct (Nat.eqb g g0); auto.
    destruct (ended t) as [[]|]; try discriminate.
    destruct (take g f) as [l0|]; try discriminate. intros [= <-]. now rewrite (IHstepF l0 eq_refl).
Qed.

Lemma drop_step g f f' l : stepF f f' -> take g f = Some l -> stepF (drop g f) (drop g f').
Proof.
  intro H; revert l; induction H; simpl; intros l.
  - destruct (Nat.eqb g g0); [|intros; constructor; auto].
    destruct (ended t) as [[]|] eqn:E; try discriminate. exfalso; eapply ended_no_step; eauto.
  - destruct (Nat.eqb g g0).
    + destruct (ended t) as [[]|]; try discriminate. destruct (take g f) as [l0|]; try discriminate.
      intros _; eapply IHstepF; eauto.
    + intros; constructor; eapply IHstepF; eauto.
Qed.

Lemma live_step g f f' : stepF f f' -> live g f' <= live g f.
Proof.
  induction 1; simpl.
  - destruct (Nat.eqb g g0); try lia.
    destruct (ended t) eqn:E; [exfalso; eapply ended_no_step; eauto|destruct (ended t'); lia].
  - destruct (Nat.eqb g g0); destruct (ended t); lia.
Qed.

Lemma snoc_step f f' g b t : stepF f f' -> stepF (snoc f g b t) (snoc f' g b t).
Proof. induction 1; simpl; constructor; auto. Qed.

(** A step of the owner itself, as a function. *)
Inductive own : tree -> tree -> Prop :=
| o_see s st f k : act s = See k -> own (T s st f) (T (k (vals st)) st f)
| o_write s st f p v k : act s = Write p v k -> own (T s st f) (T k (write st p v) f)
| o_fork s st f g n q k : act s = Fork g n q k -> room n (live g f) ->
    own (T s st f) (T k (tick st) (snoc f g st (T q (tick st) Nil)))
| o_join s st f g k l : act s = Join g k -> take g f = Some l ->
    own (T s st f) (T (k (snd (joins st l)) (told st l) (results l)) (fst (joins st l)) (drop g f))
| o_drop s st f g k l : act s = Drop g k -> take g f = Some l ->
    own (T s st f) (T (k (results l)) st (drop g f)).

Lemma own_step t t' : own t t' -> step t t'.
Proof. destruct 1; [eapply s_see|eapply s_write|eapply s_fork|eapply s_join|eapply s_drop]; eauto. Qed.

Lemma step_cases s st f t' : step (T s st f) t' -> own (T s st f) t' \/ exists f', t' = T s st f' /\ stepF f f'.
Proof.
  inversion 1; subst; eauto; left; [eapply o_see|eapply o_write|eapply o_fork|eapply o_join|eapply o_drop]; eauto.
Qed.

Lemma own_det t t1 t2 : own t t1 -> own t t2 -> t1 = t2.
Proof. destruct 1; inversion 1; subst; congruence. Qed.

Lemma own_child_commute s st f x f' :
  own (T s st f) x -> stepF f f' -> exists u, step (T s st f') u /\ step x u.
Proof.
  intros H Hc. inversion H; subst.
  - eexists; split; [eapply s_see; eauto|constructor; auto].
  - eexists; split; [eapply s_write; eauto|constructor; auto].
  - eexists; split; [eapply s_fork; eauto|constructor; now apply snoc_step].
    pose proof (live_step g Hc). match goal with H : room _ _ |- _ => destruct H; [left|right]; auto; lia end.
  - eexists; split; [eapply s_join; eauto; eapply take_step; eauto|constructor; eapply drop_step; eauto].
  - eexists; split; [eapply s_drop; eauto; eapply take_step; eauto|constructor; eapply drop_step; eauto].
Qed.


Lemma steps_commute_both :
  (forall t t1 t2, step t t1 -> step t t2 -> t1 = t2 \/ exists u, step t1 u /\ step t2 u) /\
  (forall f f1 f2, stepF f f1 -> stepF f f2 -> f1 = f2 \/ exists u, stepF f1 u /\ stepF f2 u).
Proof.
  apply tree_forest_ind.
  - intros s st f IH t1 t2 H1 H2.
    destruct (step_cases H1) as [O1|(f1 & -> & F1)], (step_cases H2) as [O2|(f2 & -> & F2)].
    + left; eapply own_det; eauto.
    + right. destruct (own_child_commute O1 F2) as (u & ? & ?); eauto.
    + right. destruct (own_child_commute O2 F1) as (u & ? & ?); eauto.
    + destruct (IH _ _ F1 F2) as [->|(u & ? & ?)]; [left; auto|right].
      exists (T s st u); split; constructor; auto.
  - intros; inversion H.
  - intros g b t IHt f IHf f1 f2 H1 H2. inversion H1; subst; inversion H2; subst.
    + match goal with A : step t ?x, B : step t ?y |- _ => destruct (IHt _ _ A B) as [->|(u & ? & ?)] end; [left; auto|right].
      exists (Cons g b u f); split; constructor; auto.
    + right; exists (Cons g b t' f'); split; constructor; auto.
    + right; exists (Cons g b t' f'); split; constructor; auto.
    + match goal with A : stepF f ?x, B : stepF f ?y |- _ => destruct (IHf _ _ A B) as [->|(u & ? & ?)] end; [left; auto|right].
      exists (Cons g b t u); split; constructor; auto.
Qed.

(** F1: two steps that are possible at once commute. *)
Theorem steps_commute t t1 t2 : step t t1 -> step t t2 -> t1 = t2 \/ exists u, step t1 u /\ step t2 u.
Proof. apply steps_commute_both. Qed.

(* ------------------------------------------------------------------ any schedule *)
Inductive steps : nat -> tree -> tree -> Prop :=
| steps_0 t : steps 0 t t
| steps_S n a b c : step a b -> steps n b c -> steps (S n) a c.

Definition final t := forall t', ~ step t t'.

Lemma steps_app n a b m c : steps n a b -> steps m b c -> steps (n + m) a c.
Proof. induction 1; simpl; auto. intros; econstructor; eauto. Qed.

Lemma descent n a u : steps n a u -> final u -> forall b, step a b -> exists m, n = S m /\ steps m b u.
Proof.
  induction 1 as [t|n a c u Hac Hcu IH]; intros F b Hb.
  - exfalso; eapply F; eauto.
  - destruct (steps_commute Hac Hb) as [->|(d & Hcd & Hbd)]; [eauto|].
    destruct (IH F _ Hcd) as (m & -> & Hd). exists (S m); split; auto. econstructor; eauto.
Qed.

Lemma descents n a u : steps n a u -> final u -> forall m b, steps m a b -> m <= n /\ steps (n - m) b u.
Proof.
  intros Hn F m b Hm; revert n Hn; induction Hm as [|m a c b Hac Hcb IH]; intros n Hn.
  - replace (n - 0) with n by lia; split; [lia|auto].
  - destruct (descent Hn F Hac) as (k & -> & Hk). destruct (IH _ Hk). split; [lia|auto].
Qed.

(* ------------------------------------------------------------------ progress *)
(** Somewhere in the tree there is a strand of which this holds. *)
Section Somewhere.
Variable this : Q -> forest -> Prop.
Inductive somewhere : tree -> Prop :=
| sw_here s st f : this s f -> somewhere (T s st f)
| sw_below s st f : somewhereF f -> somewhere (T s st f)
with somewhereF : forest -> Prop :=
| swF_here g b t f : somewhere t -> somewhereF (Cons g b t f)
| swF_there g b t f : somewhereF f -> somewhereF (Cons g b t f).
End Somewhere.
(** F2: a strand that ends although it has forks that were not joined; an engine never lets a body do that. *)
Definition leaks (s : Q) (f : forest) := (exists r, act s = Halt r) /\ f <> Nil.
Definition fails (s : Q) (_ : forest) := act s = Fail.

Inductive inert : list (nat * ended_fork) -> forest -> Prop :=
| inert_nil : inert [] Nil
| inert_cons l g b t f st r : ended t = Some (st, r) -> inert l f -> inert ((g, (b, st, r)) :: l) (Cons g b t f).

Definition of (g : nat) (l : list (nat * ended_fork)) := map snd (filter (fun x => Nat.eqb g (fst x)) l).
Definition others (g : nat) (l : list (nat * ended_fork)) := filter (fun x => negb (Nat.eqb g (fst x))) l.

Lemma inert_take l f g : inert l f -> take g f = Some (of g l).
Proof.
  unfold of; induction 1; simpl; auto. destruct (Nat.eqb g g0); simpl; auto. now rewrite H, IHinert.
Qed.
Lemma inert_drop l f g : inert l f -> inert (others g l) (drop g f).
Proof. unfold others; induction 1; simpl; [constructor|]. destruct (Nat.eqb g g0); simpl; auto. constructor; auto. Qed.
Lemma inert_live l f g : inert l f -> live g f = 0.
Proof. induction 1; simpl; auto. rewrite H, IHinert. destruct (Nat.eqb g g0); auto. Qed.
Lemma inert_snoc l f g b t st r : inert l f -> ended t = Some (st, r) -> inert (l ++ [(g, (b, st, r))]) (snoc f g b t).
Proof. intros H E; induction H; simpl; constructor; auto. constructor. Qed.
Lemma inert_no_step l f f' : inert l f -> stepF f f' -> False.
Proof. intros H; revert f'; induction H; intros f' S; inversion S; subst; eauto. eapply ended_no_step; eauto. Qed.

Lemma progress_both :
  (forall t, (exists t', step t t') \/ ended t <> None \/ somewhere leaks t \/ somewhere fails t) /\
  (forall f, (exists f', stepF f f') \/ (exists l, inert l f) \/ somewhereF leaks f \/ somewhereF fails f).
Proof.
  apply tree_forest_ind.
  - intros s st f [(f' & H)|[(l & H)|[H|H]]].
    + left; eexists; apply s_child; eauto.
    + destruct (act s) as [k|p v k|g n q k|g k|g k|r|] eqn:E.
      * left; eexists; eapply s_see; eauto.
      * left; eexists; eapply s_write; eauto.
      * left; eexists; eapply s_fork; eauto. rewrite (inert_live _ H). unfold room; lia.
      * left; eexists; eapply s_join; eauto. eapply inert_take; eauto.
      * left; eexists; eapply s_drop; eauto. eapply inert_take; eauto.
      * right. destruct f; [left; simpl; rewrite E; congruence|right; left; constructor; split; [eauto|congruence]].
      * right; right; right; now constructor.
    + right; right; left; now constructor 2.
    + right; right; right; now constructor 2.
  - right; left; exists []; constructor.
  - intros g b t [(t' & H)|[H|[H|H]]] f [(f' & H')|[(l & H')|[H'|H']]];
      try (left; eexists; constructor; eauto; fail); try (left; eexists; apply s_there; eauto; fail);
      try (right; right; left; constructor; assumption); try (right; right; left; apply swF_there; assumption);
      try (right; right; right; constructor; assumption); try (right; right; right; apply swF_there; assumption).
    right; left. destruct (ended t) as [[st r]|] eqn:E; [|congruence]. eexists; econstructor; eauto.
Qed.

(** F2, S3: nothing hangs, whatever the limits of the streams. Something goes on, or all has ended, unless a strand
    has failed. *)
Theorem never_hangs t : (exists t', step t t') \/ ended t <> None \/ somewhere leaks t \/ somewhere fails t.
Proof. apply progress_both. Qed.

(* ------------------------------------------------------------------ without a schedule *)
(** As a single thread would: a fork runs in place, on its copy, and is kept until the join. This is the reference
    (trioflow/reference/big_step.py). *)
Inductive big : Q -> store -> list (nat * ended_fork) -> store -> R -> Prop :=
| b_see s st l k st' r : act s = See k -> big (k (vals st)) st l st' r -> big s st l st' r
| b_write s st l p v k st' r : act s = Write p v k -> big k (write st p v) l st' r -> big s st l st' r
| b_fork s st l g n q k stq rq st' r : act s = Fork g n q k ->
    big q (tick st) [] stq rq -> big k (tick st) (l ++ [(g, (st, stq, rq))]) st' r -> big s st l st' r
| b_join s st l g k st' r : act s = Join g k ->
    big (k (snd (joins st (of g l))) (told st (of g l)) (results (of g l))) (fst (joins st (of g l))) (others g l) st' r -> big s st l st' r
| b_drop s st l g k st' r : act s = Drop g k -> big (k (results (of g l))) st (others g l) st' r -> big s st l st' r
| b_halt s st r : act s = Halt r -> big s st [] st r.

Lemma big_det s st l st1 r1 : big s st l st1 r1 -> forall st2 r2, big s st l st2 r2 -> st1 = st2 /\ r1 = r2.
Proof.
  induction 1; intros st2 r2 H2; inversion H2; subst; try congruence;
    match goal with A : act ?s = _, B : act ?s = _ |- _ => rewrite A in B; inversion B; subst end; auto.
  match goal with A : big ?q _ [] ?a ?b, B : big ?q _ [] ?c ?d |- _ =>
    assert (a = c /\ b = d) as [-> ->] by (first [eapply IHbig1; eassumption | destruct (IHbig1 _ _ A); auto]) end. auto.
Qed.

Lemma snoc_last f g b t t' : step t t' -> stepF (snoc f g b t) (snoc f g b t').
Proof. induction f; simpl; constructor; auto. Qed.
Lemma snoc_steps n s st f g b t t' : steps n t t' -> steps n (T s st (snoc f g b t)) (T s st (snoc f g b t')).
Proof. induction 1; econstructor; eauto. constructor. now apply snoc_last. Qed.
Lemma halt_final s st r : act s = Halt r -> final (T s st Nil).
Proof. intros E t' H. eapply ended_no_step; eauto. simpl; rewrite E; reflexivity. Qed.

Lemma big_steps s st l st' r : big s st l st' r -> forall f, inert l f ->
  exists n s', act s' = Halt r /\ steps n (T s st f) (T s' st' Nil).
Proof.
  induction 1; intros f I.
  - destruct (IHbig _ I) as (n & s' & E & W). exists (S n), s'; split; auto. econstructor; eauto. now apply s_see.
  - destruct (IHbig _ I) as (n & s' & E & W). exists (S n), s'; split; auto. econstructor; eauto. now apply s_write.
  - destruct (IHbig1 _ inert_nil) as (n1 & q1 & E1 & W1).
    assert (D : ended (T q1 stq Nil) = Some (stq, rq)) by (simpl; now rewrite E1).
    destruct (IHbig2 _ (inert_snoc g st _ I D)) as (n2 & s' & E2 & W2).
    exists (S (n1 + n2)), s'; split; auto.
    econstructor; [eapply s_fork; eauto; rewrite (inert_live _ I); unfold room; lia|].
    eapply steps_app; [apply snoc_steps; eauto|eauto].
  - destruct (IHbig _ (inert_drop g I)) as (n & s' & E & W). exists (S n), s'; split; auto.
    econstructor; eauto. apply s_join; auto. now apply inert_take.
  - destruct (IHbig _ (inert_drop g I)) as (n & s' & E & W). exists (S n), s'; split; auto.
    econstructor; eauto. apply s_drop; auto. now apply inert_take.
  - inversion I; subst. exists 0, s; split; auto. constructor.
Qed.

(** F1, F3, F4, F5, F6, S6, G4, E5: what the big step says is what comes of every schedule, after the same number of steps; none
    goes on for ever. *)
Theorem every_schedule q st0 st r : big q st0 [] st r ->
  exists n q', act q' = Halt r /\
    forall m t, steps m (T q st0 Nil) t -> m <= n /\ steps (n - m) t (T q' st Nil).
Proof.
  intros B. destruct (big_steps B inert_nil) as (n & q' & E & W).
  exists n, q'; split; auto. intros m t Hm. eapply descents; eauto. eapply halt_final; eauto.
Qed.

(** The same, said of whatever has come to an end. *)
Corollary every_end q st0 st r m q1 st1 f1 : big q st0 [] st r ->
  steps m (T q st0 Nil) (T q1 st1 f1) -> final (T q1 st1 f1) -> st1 = st /\ f1 = Nil /\ act q1 = Halt r.
Proof.
  intros B W F. destruct (every_schedule B) as (n & q' & E & All).
  destruct (All _ _ W) as [_ W']. inversion W'; subst; auto. exfalso; eapply F; eauto.
Qed.

(* ------------------------------------------------------------------ and back *)
Fixpoint InF (t : tree) (f : forest) : Prop := match f with Nil => False | Cons _ _ t' f' => t = t' \/ InF t f' end.
Lemma InF_snoc t f g b t' : InF t f \/ t = t' -> InF t (snoc f g b t').
Proof. induction f; simpl; intuition. Qed.
Lemma InF_drop t g f l : take g f = Some l -> InF t f -> ended t <> None \/ InF t (drop g f).
Proof.
  revert l; induction f; simpl; [tauto|]. intros l. destruct (Nat.eqb g g0).
  - destruct (ended t0) as [[]|] eqn:E; try discriminate. destruct (take g f); try discriminate.
    intros _ [->|H]; [left; congruence|eauto].
  - simpl. intros H [->|I]; auto. destruct (IHf _ H I); auto.
Qed.
Lemma InF_step t f f' : stepF f f' -> InF t f -> InF t f' \/ exists t', step t t' /\ InF t' f'.
Proof.
  induction 1; simpl; intros [->|I]; auto; [right; eauto|].
  destruct (IHstepF I) as [|(x & ? & ?)]; auto. right; eauto.
Qed.

Lemma child_ends n a u : steps n a u -> forall s st f t s' st', a = T s st f -> u = T s' st' Nil -> InF t f ->
  exists m t1, m <= n /\ steps m t t1 /\ ended t1 <> None.
Proof.
  induction 1 as [|n a b u Hab Hbu IH]; intros s st f t0 s' st' -> Eu I; [inversion Eu; subst; destruct I|].
  assert (K : forall f', (exists s2 st2, b = T s2 st2 f') -> InF t0 f' ->
                exists m t1, m <= S n /\ steps m t0 t1 /\ ended t1 <> None).
  { intros f' (s2 & st2 & ->) I'. destruct (IH _ _ _ _ _ _ eq_refl Eu I') as (m & t1 & ? & ? & ?).
    exists m, t1; split; [lia|auto]. }
  destruct (step_cases Hab) as [O|(f' & -> & Hf)].
  - inversion O; subst.
    + eapply K; eauto.
    + eapply K; eauto.
    + eapply K; eauto. apply InF_snoc; auto.
    + match goal with A : take _ _ = _ |- _ => destruct (InF_drop _ _ _ A I) end; [|eapply K; eauto].
      exists 0, t0; split; [lia|split; auto; constructor].
    + match goal with A : take _ _ = _ |- _ => destruct (InF_drop _ _ _ A I) end; [|eapply K; eauto].
      exists 0, t0; split; [lia|split; auto; constructor].
  - destruct (InF_step _ Hf I) as [I'|(t' & Ht & I')]; [eapply K; eauto|].
    destruct (IH _ _ _ _ _ _ eq_refl Eu I') as (m & t1 & ? & ? & ?).
    exists (S m), t1; split; [lia|split; auto; econstructor; eauto].
Qed.

Lemma steps_big n : forall s st f l s' st' r,
  steps n (T s st f) (T s' st' Nil) -> act s' = Halt r -> inert l f -> big s st l st' r.
Proof.
  induction n as [n IH] using lt_wf_ind; intros s st f l s' st' r W E I.
  assert (F : final (T s' st' Nil)) by (eapply halt_final; eauto).
  destruct (act s) as [k|p v k|g lim q k|g k|g k|r0|] eqn:A.
  - destruct (descent W F (s_see st f A)) as (m & -> & W'). eapply b_see; eauto.
  - destruct (descent W F (s_write st f A)) as (m & -> & W'). eapply b_write; eauto.
  - assert (Rm : room lim (live g f)) by (rewrite (inert_live _ I); unfold room; lia).
    destruct (descent W F (s_fork st f A Rm)) as (m & -> & W').
    destruct (child_ends W' (T q (tick st) Nil) eq_refl eq_refl) as (m1 & t1 & Lm & W1 & E1).
    { apply InF_snoc; auto. }
    destruct t1 as [q1 stq [|]]; simpl in E1; [|congruence].
    destruct (act q1) as [| | | | |rq|] eqn:A1; try congruence.
    assert (B1 : big q (tick st) [] stq rq) by (eapply (IH m1); eauto; [lia|constructor]).
    destruct (descents W' F (snoc_steps k (tick st) f g st W1)) as [_ W2].
    eapply b_fork; eauto. eapply (IH (m - m1)); eauto; [lia|].
    apply inert_snoc; auto. simpl; now rewrite A1.
  - pose proof (inert_take g I) as Tk.
    destruct (descent W F (s_join st f A Tk)) as (m & -> & W').
    eapply b_join; eauto. eapply (IH m); eauto. now apply inert_drop.
  - pose proof (inert_take g I) as Tk.
    destruct (descent W F (s_drop st f A Tk)) as (m & -> & W').
    eapply b_drop; eauto. eapply (IH m); eauto. now apply inert_drop.
  - inversion W; subst.
    + inversion I; subst. assert (r0 = r) by congruence; subst. now apply b_halt.
    + exfalso. destruct (step_cases H) as [O|(f' & -> & Hf)]; [inversion O; congruence|].
      eapply inert_no_step; eauto.
  - inversion W; subst; [congruence|exfalso].
    destruct (step_cases H) as [O|(f' & -> & Hf)]; [inversion O; congruence|].
    eapply inert_no_step; eauto.
Qed.

(** E5: if one schedule comes to an end, the big step comes to the same; so all schedules do. *)
Theorem some_schedule q st0 n q' st r :
  steps n (T q st0 Nil) (T q' st Nil) -> act q' = Halt r -> big q st0 [] st r.
Proof. intros; eapply steps_big; eauto. constructor. Qed.

End Core.


Arguments Nil {P V Q}.

(* ------------------------------------------------------------------ limits make no difference (S3) *)
Section Limits.
Variables (P V Q R : Type) (P_dec : forall a b : P, {a = b} + {a <> b}) (policy_of : P -> policy V) (places : list P).
Notation big := (big P_dec policy_of places).
Notation steps := (steps P_dec policy_of places).

(** The same bodies, with other limits. *)
Definition relimit (limit : Q -> nat) (act : Q -> action P V Q R) (s : Q) : action P V Q R :=
  match act s with Fork g _ q k => Fork g (limit s) q k | a => a end.

Lemma relimit_big limit act s st l st' r : big act s st l st' r -> big (relimit limit act) s st l st' r.
Proof.
  induction 1.
  - eapply b_see; eauto. unfold relimit; now rewrite H.
  - eapply b_write; eauto. unfold relimit; now rewrite H.
  - eapply b_fork; eauto. unfold relimit; now rewrite H.
  - eapply b_join; eauto. unfold relimit; now rewrite H.
  - eapply b_drop; eauto. unfold relimit; now rewrite H.
  - eapply b_halt; eauto. unfold relimit; now rewrite H.
Qed.

(** S3: what limit a concurrent stream has makes no difference. *)
Theorem any_limit limit act q st0 st r q1 st1 f1 m :
  big act q st0 [] st r ->
  steps (relimit limit act) m (T q st0 Nil) (T q1 st1 f1) ->
  final P_dec policy_of places (relimit limit act) (T q1 st1 f1) -> st1 = st.
Proof.
  intros B W F. eapply relimit_big in B. eapply every_end in B; eauto. tauto.
Qed.
End Limits.
