(** Failures (F2), in the form in which the schedule makes no difference to them.

    That something fails does not depend on the schedule, and what an owner goes on with that catches it does not either:
    of a group in which a fork has failed nothing is merged, whoever was the last to end, and however far the others came.
    The owner is cancelled here where it joins, and nowhere before; how far it comes otherwise is a matter of the schedule,
    as E5 says, and so is which of several failures it is told of, which is why nothing is told here. *)
From Coq Require Import List Arith Lia Bool.
From TF Require Import Core.
Import ListNotations.

Section Status.
Variables (P V Q R : Type) (P_dec : forall a b : P, {a = b} + {a <> b}) (policy_of : P -> policy V) (places : list P).
Variable act : Q -> action P V Q R.
Notation step := (step P_dec policy_of places act). Notation stepF := (stepF P_dec policy_of places act).
Notation steps := (steps P_dec policy_of places act). Notation big := (big P_dec policy_of places act).
Notation final := (final P_dec policy_of places act).
Notation fails := (@fails P V Q R act).

Lemma failed_is_not_over : (forall t, somewhere fails t -> ended act t = None) /\
  (forall f, somewhereF fails f -> forall g l, take act g f = Some l -> somewhereF fails (drop g f)).
Proof.
  apply tree_forest_ind.
  - intros s st f IH H. inversion H; subst; unfold Core.fails in *; simpl.
    + destruct f; auto. now rewrite H1.
    + destruct f; auto. inversion H1.
  - intros H. inversion H.
  - intros g b t IHt f IHf H g' l T. simpl in *. inversion H; subst.
    + destruct (Nat.eqb g' g) eqn:E; [|constructor; auto]. rewrite (IHt H1) in T. discriminate.
    + destruct (Nat.eqb g' g) eqn:E.
      * destruct (ended act t) as [[]|]; [|discriminate]. destruct (take act g' f) eqn:Tf; [|discriminate]. eauto.
      * apply swF_there. eauto.
Qed.
Lemma in_snoc f g b t : somewhereF fails f -> somewhereF fails (snoc f g b t).
Proof. induction 1; simpl; [constructor; auto|apply swF_there; auto]. Qed.

Lemma failed_stays : (forall t t', step t t' -> somewhere fails t -> somewhere fails t') /\
  (forall f f', stepF f f' -> somewhereF fails f -> somewhereF fails f').
Proof.
  assert (Own : forall s st f t', own P_dec policy_of places act (T s st f) t' -> somewhere fails (T s st f) -> somewhere fails t').
  { intros s st f t' O H. inversion H; subst; [inversion O; unfold Core.fails in *; congruence|].
    inversion O; subst; apply sw_below; auto; [now apply in_snoc| |]; eapply (proj2 failed_is_not_over); eauto. }
  assert (K : (forall t : tree P V Q, forall t', step t t' -> somewhere fails t -> somewhere fails t') /\
              (forall f : forest P V Q, forall f', stepF f f' -> somewhereF fails f -> somewhereF fails f')).
  { apply tree_forest_ind.
    - intros s st f IH t' H S. destruct (step_cases H) as [O|(f' & -> & F)]; [eapply Own; eauto|].
      inversion S; subst; [now apply sw_here|apply sw_below; eauto].
    - intros f' H. inversion H.
    - intros g b t IHt f IHf f' H S. inversion H; subst; inversion S; subst; try (constructor; auto; fail); try (apply swF_there; auto; fail). }
  exact K.
Qed.

(** F2, E5: whether anything fails that nobody catches does not depend on the schedule: where the big step comes to an end,
    no schedule ever meets a failure. *)
Theorem same_status q st0 st r m a : big q st0 [] st r -> steps m (T q st0 Nil) a -> ~ somewhere fails a.
Proof.
  intros B W F. destruct (every_schedule B) as (n & q' & E & All). destruct (All _ _ W) as [_ W'].
  assert (K : somewhere fails (T q' st Nil)).
  { clear - W' F. induction W' as [|k a b c Hab _ IH]; auto. apply IH. eapply (proj1 failed_stays); eauto. }
  inversion K; subst; [unfold Core.fails in *; congruence|]. match goal with H : somewhereF _ Nil |- _ => inversion H end.
Qed.
(** F2, E5: and where one schedule comes to a standstill because strands have failed, each that comes to one does so with the
    same strands, all of them as far as they ever come. *)
Theorem same_standstill t n u m v : steps n t u -> final u -> steps m t v -> final v -> u = v /\ n = m.
Proof.
  intros Hu Fu Hv Fv. destruct (descents Hu Fu Hv) as [L W]. inversion W; subst; [split; auto; lia|exfalso; eapply Fv; eauto].
Qed.
End Status.

(* ------------------------------------------------------------------ failures that are caught *)
Section Caught.
Variables (P V Q R : Type) (P_dec : forall a b : P, {a = b} + {a <> b}) (policy_of : P -> policy V) (places : list P).
Variable act : Q -> action P V Q R.
Notation tree := (tree P V Q). Notation forest := (forest P V Q).
Notation write := (write P_dec). Notation joins := (joins P_dec policy_of places). Notation told := (told P_dec policy_of places).
Notation take := (take act). Notation ended := (@ended P V Q R act).

(** A strand that fails, or that waits for what it drops (S6) while one of these has failed. *)
Fixpoint failing (t : tree) : bool :=
  match t with T s _ f => match act s with Fail => true | Drop g _ => failed_in g f | _ => false end end
with failed_in (g : nat) (f : forest) : bool :=
  match f with Nil => false | Cons g' _ t f' => (Nat.eqb g g' && failing t) || failed_in g f' end.
(** F2: what has failed makes room. *)
Fixpoint flying (g : nat) (f : forest) : nat :=
  match f with
  | Nil => 0
  | Cons g' _ t f' => (if Nat.eqb g g' then match ended t with Some _ => 0 | None => if failing t then 0 else 1 end else 0) + flying g f'
  end.

(** The steps of Core.v, and one more: where an owner joins a group of which a fork has failed it goes on without any of
    them; what else there is of the group is cancelled. *)
Inductive own : tree -> tree -> Prop :=
| c_see s st f k : act s = See k -> own (T s st f) (T (k (vals st)) st f)
| c_write s st f p v k : act s = Write p v k -> own (T s st f) (T k (write st p v) f)
| c_fork s st f g n q k : act s = Fork g n q k -> room n (flying g f) ->
    own (T s st f) (T k (tick st) (snoc f g st (T q (tick st) Nil)))
| c_join s st f g k l : act s = Join g k -> take g f = Some l ->
    own (T s st f) (T (k (snd (joins st l)) (told st l) (results l)) (fst (joins st l)) (drop g f))
| c_drop s st f g k l : act s = Drop g k -> take g f = Some l -> own (T s st f) (T (k (results l)) st (drop g f))
| c_caught s st f g k : act s = Join g k -> failed_in g f = true -> own (T s st f) (T (k false [] []) st (drop g f)).
Inductive step : tree -> tree -> Prop :=
| c_own t t' : own t t' -> step t t'
| c_child s st f f' : stepF f f' -> step (T s st f) (T s st f')
with stepF : forest -> forest -> Prop :=
| c_here g b t t' f : step t t' -> stepF (Cons g b t f) (Cons g b t' f)
| c_there g b t f f' : stepF f f' -> stepF (Cons g b t f) (Cons g b t f').
Scheme step_mut := Induction for step Sort Prop with stepF_mut := Induction for stepF Sort Prop.
Combined Scheme step_ind2 from step_mut, stepF_mut.

Lemma ended_stays t x t' : ended t = Some x -> step t t' -> False.
Proof.
  destruct t as [s st [|]]; simpl; try discriminate. destruct (act s) eqn:E; try discriminate. intros _ H.
  inversion H; subst; [inversion H0; congruence|]. match goal with H : stepF Nil _ |- _ => inversion H end.
Qed.
Lemma ended_has_not_failed t x : ended t = Some x -> failing t = false.
Proof. destruct t as [s st [|]]; simpl; try discriminate. destruct (act s); auto; discriminate. Qed.
Lemma taken_has_not_failed g f l : take g f = Some l -> failed_in g f = false.
Proof.
  revert l; induction f as [|g' b t f IH]; simpl; intros l; auto. destruct (Nat.eqb g g') eqn:E; simpl; [|eauto].
  destruct (ended t) as [[]|] eqn:Et; [|discriminate]. rewrite (ended_has_not_failed _ _ Et). simpl.
  destruct (take g f) eqn:T; [eauto|discriminate].
Qed.

Lemma failed_stays_failed : (forall t t', step t t' -> failing t = true -> failing t' = true) /\
  (forall f f', stepF f f' -> forall g, failed_in g f = true -> failed_in g f' = true).
Proof.
  apply step_ind2.
  - intros t t' O. destruct O; simpl; rewrite H; try discriminate. rewrite (taken_has_not_failed _ _ _ H0). discriminate.
  - intros s st f f' _ IH. simpl. destruct (act s); auto.
  - intros g b t t' f _ IH g'. simpl. destruct (Nat.eqb g' g); simpl; auto. destruct (failing t); simpl; auto.
    + now rewrite IH.
    + intros ->. apply orb_true_r.
  - intros g b t f f' _ IH g'. simpl. destruct (Nat.eqb g' g && failing t); simpl; auto.
Qed.

Lemma take_stays f f' : stepF f f' -> forall g l, take g f = Some l -> take g f' = Some l.
Proof.
  induction 1; simpl; intros g' l.
  - destruct (Nat.eqb g' g); auto. destruct (ended t) as [[]|] eqn:E; try discriminate. exfalso; eapply ended_stays; eauto.
  - destruct (Nat.eqb g' g); auto. destruct (ended t) as [[]|]; try discriminate.
    destruct (take g' f) as [l0|] eqn:T; try discriminate. intros [= <-]. now rewrite (IHstepF _ _ T).
Qed.
Lemma drop_step g f f' : stepF f f' -> drop g f = drop g f' \/ stepF (drop g f) (drop g f').
Proof.
  induction 1; simpl.
  - destruct (Nat.eqb g g0); [auto|right; now constructor].
  - destruct (Nat.eqb g g0); auto. destruct IHstepF as [->|]; [auto|right; now constructor].
Qed.
Lemma flying_step f f' : stepF f f' -> forall g, flying g f' <= flying g f.
Proof.
  induction 1; intros g'; simpl.
  - destruct (Nat.eqb g' g); try lia. destruct (ended t) eqn:E; [exfalso; eapply ended_stays; eauto|].
    destruct (failing t) eqn:Ft; [rewrite (proj1 failed_stays_failed _ _ H Ft)|]; destruct (ended t'); try lia. destruct (failing t'); lia.
  - specialize (IHstepF g'). destruct (Nat.eqb g' g); destruct (ended t); try destruct (failing t); lia.
Qed.
Lemma snoc_stepF f f' g b t : stepF f f' -> stepF (snoc f g b t) (snoc f' g b t).
Proof. induction 1; simpl; constructor; auto. Qed.

Lemma own_same t t1 t2 : own t t1 -> own t t2 -> t1 = t2.
Proof.
  destruct 1; inversion 1; subst; try congruence.
  - match goal with A : take ?g ?f = Some _, B : failed_in ?h ?f = true |- _ =>
      replace h with g in B by congruence; rewrite (taken_has_not_failed _ _ _ A) in B; discriminate end.
  - match goal with A : take ?g ?f = Some _, B : failed_in ?h ?f = true |- _ =>
      replace h with g in B by congruence; rewrite (taken_has_not_failed _ _ _ A) in B; discriminate end.
Qed.

Definition near (t u : tree) := t = u \/ step t u.
Definition nearF (f u : forest) := f = u \/ stepF f u.
Lemma own_child s st f x f' : own (T s st f) x -> stepF f f' -> exists u, own (T s st f') u /\ near x u.
Proof.
  intros O F. inversion O; subst.
  - eexists; split; [eapply c_see; eauto|right; now constructor 2].
  - eexists; split; [eapply c_write; eauto|right; now constructor 2].
  - eexists; split; [eapply c_fork; eauto|right; constructor 2; now apply snoc_stepF].
    pose proof (flying_step _ _ F g). match goal with H : room _ _ |- _ => destruct H; [left|right]; auto; lia end.
  - eexists; split; [eapply c_join; eauto; eapply take_stays; eauto|].
    destruct (drop_step g _ _ F) as [->|]; [left; auto|right; now constructor 2].
  - eexists; split; [eapply c_drop; eauto; eapply take_stays; eauto|].
    destruct (drop_step g _ _ F) as [->|]; [left; auto|right; now constructor 2].
  - eexists; split; [eapply c_caught; eauto; eapply (proj2 failed_stays_failed); eauto|].
    destruct (drop_step g _ _ F) as [->|]; [left; auto|right; now constructor 2].
Qed.

Lemma nearly : (forall t t1 t2, step t t1 -> step t t2 -> exists u, near t1 u /\ near t2 u) /\
  (forall f f1 f2, stepF f f1 -> stepF f f2 -> exists u, nearF f1 u /\ nearF f2 u).
Proof.
  apply tree_forest_ind.
  - intros s st f IH t1 t2 H1 H2. inversion H1 as [? ? O1|? ? ? f1 F1]; inversion H2 as [? ? O2|? ? ? f2 F2]; subst.
    + exists t1. rewrite (own_same _ _ _ O1 O2). split; left; auto.
    + destruct (own_child _ _ _ _ _ O1 F2) as (u & A & B). exists u. split; [auto|right; now constructor].
    + destruct (own_child _ _ _ _ _ O2 F1) as (u & A & B). exists u. split; [right; now constructor|auto].
    + destruct (IH _ _ F1 F2) as (u & A & B). exists (T s st u). split; [destruct A as [->|]|destruct B as [->|]]; (left; reflexivity) || (right; now constructor 2).
  - intros f1 f2 H. inversion H.
  - intros g b t IHt f IHf f1 f2 H1 H2. inversion H1; subst; inversion H2; subst.
    + match goal with A : step t ?x, B : step t ?y |- _ => destruct (IHt _ _ A B) as (u & C & D) end.
      exists (Cons g b u f). split; [destruct C as [->|]|destruct D as [->|]]; (left; reflexivity) || (right; now constructor).
    + eexists. split; right; [apply c_there|apply c_here]; eauto.
    + eexists. split; right; [apply c_here|apply c_there]; eauto.
    + match goal with A : stepF f ?x, B : stepF f ?y |- _ => destruct (IHf _ _ A B) as (u & C & D) end.
      exists (Cons g b t u). split; [destruct C as [->|]|destruct D as [->|]]; (left; reflexivity) || (right; now constructor).
Qed.

Inductive steps : tree -> tree -> Prop :=
| cs_0 t : steps t t
| cs_S a b c : step a b -> steps b c -> steps a c.
Definition final t := forall t', ~ step t t'.

Lemma reached a u : steps a u -> final u -> forall b, step a b -> steps b u.
Proof.
  induction 1 as [u|a c u Hac Hcu IH]; intros F b Hb; [exfalso; eapply F; eauto|].
  destruct (proj1 nearly _ _ _ Hac Hb) as (d & [->|Hd] & [<-|Hb']); auto.
  - econstructor; eauto.
  - econstructor; eauto.
Qed.
(** F2: with failures that are caught, whatever schedules come to an end come to the same: the same store, the same result.
    So it does not matter who of a group that fails was the last to end, nor how far the others had come. *)
Theorem same_if_caught a u v : steps a u -> final u -> steps a v -> final v -> u = v.
Proof.
  intros Hu Fu Hv. induction Hv as [a|a b v Hab Hbv IH]; intros Fv.
  - inversion Hu; subst; auto. exfalso; eapply Fv; eauto.
  - apply IH; auto. eapply reached; eauto.
Qed.
End Caught.
