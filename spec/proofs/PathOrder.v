(** Paths, and keys of firings, are lists of numbers, ordered item by item: a path before those that it begins (INTERPRETING 6,
    W10). *)
From Coq Require Import List Arith Lia.
Import ListNotations.

Definition path := list nat.
Fixpoint before (a b : path) : Prop :=
  match a, b with
  | [], _ :: _ => True
  | x :: a', y :: b' => x < y \/ (x = y /\ before a' b')
  | _, [] => False
  end.
Definition upto (a b : path) := a = b \/ before a b.

(** It is a strict order, and a total one. *)
Lemma before_trans a : forall b c, before a b -> before b c -> before a c.
Proof.
  induction a as [|x a IH]; intros [|y b] [|z c]; simpl; auto; try tauto.
  intros [H|[-> H]] [G|[-> G]]; [left; lia|left; lia|left; lia|right; split; eauto].
Qed.
Lemma before_irrefl a : ~ before a a.
Proof. induction a as [|x a IH]; simpl; [auto|]. intros [H|[_ H]]; [lia|auto]. Qed.
Lemma before_dec a : forall b, {before a b} + {upto b a}.
Proof.
  induction a as [|x a IH]; intros [|y b]; simpl.
  - right; left; auto.
  - left; auto.
  - right; right; simpl; auto.
  - destruct (lt_eq_lt_dec x y) as [[H|H]|H].
    + left; auto.
    + destruct (IH b) as [G|G]; [left; auto|right; subst y; destruct G as [->|G]; [left; auto|right; simpl; auto]].
    + right; right; simpl; auto.
Qed.
