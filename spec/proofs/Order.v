(** Workflows: the canonical order of firings is a linear extension of their pasts, and their keys are unique (W2, W9, W10).

    A firing is known by its lineage. [One]: it took one token, over a wire into a node with one wire, or into a node with
    `join: each` (then [each] is true). [All]: it took several; [serial] tells firings of one join in one scope apart. *)
From Coq Require Import List Arith Lia Bool.
Import ListNotations.

Inductive firing :=
| Entry (node : nat)
| One (node wire : nat) (each : bool) (from : firing)
| All (node serial : nat) (from : list firing).

Fixpoint round (f : firing) : nat :=
  match f with
  | Entry _ => 1
  | One _ _ _ g => S (round g)
  | All _ _ l => S (fold_right (fun g n => Nat.max (round g) n) 0 l)
  end.
Definition node (f : firing) := match f with Entry n | One n _ _ _ | All n _ _ => n end.

Inductive parent : firing -> firing -> Prop :=
| p_one n w e g : parent g (One n w e g)
| p_all n k l g : In g l -> parent g (All n k l).
Inductive past : firing -> firing -> Prop :=
| past_one f g : parent f g -> past f g
| past_more f g h : past f g -> parent g h -> past f h.

Lemma parent_round f g : parent f g -> round f < round g.
Proof.
  destruct 1; simpl; [lia|]. induction l as [|x l IH]; simpl in *; [tauto|].
  destruct H as [->|H]; [lia|]. specialize (IH H). lia.
Qed.
(** W10: an order by rounds, with ties broken in any way, puts every firing behind its past. *)
Theorem linear_extension f g : past f g -> round f < round g.
Proof. induction 1; [now apply parent_round|]. pose proof (parent_round _ _ H0). lia. Qed.
Lemma past_irreflexive f : ~ past f f.
Proof. intro H. apply linear_extension in H. lia. Qed.

(* ------------------------------------------------------------------ is it total? *)
(** Not with round, place, and the wire for [join: each] alone. *)
Definition too_short f := (round f, node f, match f with One _ w true _ => Some w | _ => None end).
Example ties : let a := One 5 0 true (Entry 1) in let b := One 5 1 true (Entry 2) in
  let x := One 6 2 false a in let y := One 6 2 false b in x <> y /\ too_short x = too_short y.
Proof. split; [discriminate|reflexivity]. Qed.

(** What it takes: the wires over which tokens came to `each` nodes since the last [All], inherited; and a serial. *)
Fixpoint lane (f : firing) : list nat := match f with One _ w true g => w :: lane g | One _ _ false g => lane g | _ => [] end.
Definition serial (f : firing) : nat := match f with All _ k _ => k | _ => 0 end.
Fixpoint root (f : firing) : nat := match f with One _ _ _ g => root g | All _ k _ => S k | Entry _ => 0 end.
Definition key f := (round f, node f, lane f, root f).

(** A graph: where wires lead, which nodes are `each`, and that a node that is not has one wire if it takes one token. *)
Section Graph.
Variables (source target : nat -> nat) (is_each is_all : nat -> bool).
Hypothesis one_wire : forall w w', target w = target w' -> is_each (target w) = false -> is_all (target w) = false -> w = w'.
Inductive fits : firing -> Prop :=
| f_entry n : (forall w, target w <> n) -> fits (Entry n)
| f_one n w e g : fits g -> target w = n -> source w = node g -> e = is_each n -> is_all n = false -> fits (One n w e g)
| f_all n k l : is_all n = true -> fits (All n k l).
(** A serial that is unique among the firings of joins of one run, and the same in every schedule. *)
Variable fired : firing -> Prop.
Hypothesis fired_fits : forall f, fired f -> fits f.
Hypothesis fired_from : forall n w e g, fired (One n w e g) -> fired g.
Hypothesis serials : forall n k l n' k' l', fired (All n k l) -> fired (All n' k' l') -> k = k' -> All n k l = All n' k' l'.

(** W10: no two firings of a run have the same key. *)
Theorem unique f : forall g, fired f -> fired g -> key f = key g -> f = g.
Proof.
  induction f as [n|n w e f IH|n k l]; intros g Ff Fg E; pose proof (fired_fits _ Ff) as X; pose proof (fired_fits _ Fg) as Y;
    destruct g as [n'|n' w' e' g|n' k' l']; inversion X; inversion Y; subst; unfold key in E; simpl in E; inversion E; subst;
    try congruence; try (exfalso; match goal with A : forall w, target w <> _ |- _ => eapply A; eauto; congruence end).
  - assert (W : w = w' /\ lane f = lane g).
    { match goal with A : target w = target w' |- _ => rewrite <- A in * end.
      destruct (is_each (target w)) eqn:Ea; [split; congruence|]. split; auto. }
    destruct W as [-> L']. f_equal; auto. apply IH; eauto. unfold key. congruence.
  - eapply serials; eauto.
Qed.
End Graph.
