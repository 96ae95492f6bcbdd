(** D12: data nodes behind eager inputs may be evaluated before their turn. Nothing is seen of that: what is told, remembered
    or fails is what comes of asking for one after the other.

    While a strand demands, its store stays as it is (T7), so an evaluation gives what it gives whenever it runs; what it asks
    itself, and what others have remembered, is in Reuse.v: there an evaluation ahead is one in progress, which ends when it is
    told, and is cut off when it is forgotten. *)
From Coq Require Import List Arith Lia Bool.
Import ListNotations.

Section Ahead.
Variables (K A : Type) (K_dec : forall a b : K, {a = b} + {a <> b}).   (* evaluations, what they give *)
Variable gives : K -> option A.                                        (* [None]: it fails *)

(** One after the other, in the order of their turns, up to the first that fails (D7). *)
Fixpoint one_by_one (l : list K) : list (K * option A) :=
  match l with
  | [] => []
  | k :: l' => (k, gives k) :: match gives k with Some _ => one_by_one l' | None => [] end
  end.

Inductive slot := Idle | Running | Ended.
(** What has been told, whose turns are still to come, and what runs or has run, in its turn or ahead. *)
Record state := { told : list (K * option A); turns : list K; slots : K -> slot }.
Definition put (f : K -> slot) k s : K -> slot := fun j => if K_dec k j then s else f j.

Inductive step : state -> state -> Prop :=
| a_begin t l f k : f k = Idle -> step (Build_state t l f) (Build_state t l (put f k Running))         (* of any, at any time *)
| a_end t l f k : f k = Running -> step (Build_state t l f) (Build_state t l (put f k Ended))
| a_forget t l f k : step (Build_state t l f) (Build_state t l (put f k Idle))                         (* at any time, too *)
| a_told t l f k a : f k = Ended -> gives k = Some a ->
    step (Build_state t (k :: l) f) (Build_state (t ++ [(k, Some a)]) l f)
| a_failed t l f k : f k = Ended -> gives k = None ->
    step (Build_state t (k :: l) f) (Build_state (t ++ [(k, None)]) [] f).
Inductive steps : state -> state -> Prop :=
| as_0 s : steps s s
| as_S a b c : step a b -> steps b c -> steps a c.

Lemma kept a b : step a b -> told a ++ one_by_one (turns a) = told b ++ one_by_one (turns b).
Proof.
  destruct 1 as [| | |t l f k a _ G|t l f k _ G]; simpl; auto; rewrite G.
  - now rewrite <- app_assoc.
  - now rewrite app_nil_r.
Qed.

(** D12: at every moment what has been told is the beginning of what comes of asking for one after the other, whatever runs ahead,
    in whatever order it ends, and whatever is forgotten; and at the end it is all of it. *)
Theorem ahead_is_unseen l f s : steps (Build_state [] l f) s ->
  told s ++ one_by_one (turns s) = one_by_one l /\ (turns s = [] -> told s = one_by_one l).
Proof.
  intro H. assert (E : told s ++ one_by_one (turns s) = one_by_one l).
  { remember (Build_state [] l f) as a eqn:Ea. change (one_by_one l) with ([] ++ one_by_one l).
    replace ([] ++ one_by_one l) with (told a ++ one_by_one (turns a)) by now subst. clear Ea.
    induction H as [s|a b c S _ IH]; auto. rewrite IH. symmetry. now apply kept. }
  split; auto. intro T. rewrite T, app_nil_r in E. exact E.
Qed.

(** And who waits for its turn never waits in vain. *)
Theorem turns_come t k l f : exists s, steps (Build_state t (k :: l) f) s /\ length (turns s) < length (k :: l).
Proof.
  assert (T : forall f, f k = Ended -> exists s, steps (Build_state t (k :: l) f) s /\ length (turns s) < length (k :: l)).
  { intros g E. destruct (gives k) as [a|] eqn:G.
    - eexists. split; [eapply as_S; [eapply a_told; eauto|apply as_0]|simpl; lia].
    - eexists. split; [eapply as_S; [eapply a_failed; eauto|apply as_0]|simpl; lia]. }
  assert (P : forall g s, put g k s k = s) by (intros g s; unfold put; destruct (K_dec k k); congruence).
  assert (Rn : forall g, g k = Running -> exists s, steps (Build_state t (k :: l) g) s /\ length (turns s) < length (k :: l)).
  { intros g E. destruct (T (put g k Ended)) as (s & S & L); [apply P|]. exists s. split; auto. eapply as_S; [eapply a_end; eauto|exact S]. }
  destruct (f k) eqn:E; auto.
  destruct (Rn (put f k Running)) as (s & S & L); [apply P|]. exists s. split; auto. eapply as_S; [eapply a_begin; eauto|exact S].
Qed.
End Ahead.
