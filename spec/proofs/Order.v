(** Workflows: the key of a firing (W10). No two firings of a scope have the same one, and in the order of their keys each
    firing is behind its past (W2). So paths, journals and random numbers can be named by it, and F9 has its order. *)
From Coq Require Import List Arith Lia Bool.
From TF Require Import PathOrder.
Import ListNotations.

(** A firing, known by its lineage: for no token; for a token with which the scope began; for one token of a firing; the
    [nth] of a join for several tokens. [each]: over one of several wires, to a node with [join: each]. *)
Inductive firing :=
| Start (node : nat)
| Begin (node wire : nat) (each : bool)
| One (node wire : nat) (each : bool) (from : firing)
| All (node nth : nat) (from : list firing).

Definition node (f : firing) := match f with Start n | Begin n _ _ | One n _ _ _ | All n _ _ => n end.
Fixpoint round (f : firing) : nat :=
  match f with
  | Start _ | Begin _ _ _ => 1
  | One _ _ _ g => S (round g)
  | All _ _ l => S (fold_right (fun g n => Nat.max (round g) n) 0 l)
  end.
Fixpoint lane (f : firing) : list nat :=
  match f with
  | Start _ | All _ _ _ => []
  | Begin _ w e => if e then [w] else []
  | One _ w e g => if e then lane g ++ [w] else lane g
  end.
Fixpoint serial (f : firing) : list nat :=
  match f with Start _ | Begin _ _ _ => [] | One _ _ _ g => serial g | All n k _ => [n; k] end.
(** The key, as the rule writes it down. *)
Definition follows (f : firing) := 2 * length (lane f) + match serial f with [] => 0 | _ => 1 end.
Definition key (f : firing) : list nat := round f :: node f :: follows f :: lane f ++ serial f.

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
(** W10, F9: compared number by number, the key of a firing is behind those of all in its past. *)
Theorem behind_its_past f g : past f g -> before (key f) (key g).
Proof.
  intro H. left. induction H as [f g P|f g h _ IH P]; [now apply parent_round|]. pose proof (parent_round _ _ P). lia.
Qed.

(* ------------------------------------------------------------------ no two are the same *)
Lemma serial_length f : length (serial f) = 2 * match serial f with [] => 0 | _ => 1 end.
Proof. induction f; simpl; auto. Qed.
Lemma key_parts f g : key f = key g -> round f = round g /\ node f = node g /\ lane f = lane g /\ serial f = serial g.
Proof.
  unfold key. intro E. injection E as E1 E2 E3 E4. unfold follows in E3.
  assert (L : length (lane f) = length (lane g)) by (destruct (serial f), (serial g); lia).
  assert (K : forall a b c d : list nat, length a = length c -> a ++ b = c ++ d -> a = c /\ b = d).
  { induction a as [|x a IH]; intros b [|y c] d Le H; simpl in *; try discriminate; auto. injection H as -> H. injection Le as Le.
    destruct (IH _ _ _ Le H) as [-> ->]. auto. }
  destruct (K _ _ _ _ L E4). auto.
Qed.
(** W10: a key says how long it is, so no key is the beginning of another: what is below one path is not below another. *)
Theorem no_beginning_of_another f g rest : key g = key f ++ rest -> rest = [].
Proof.
  unfold key. simpl. intro E. injection E as _ _ E3 E4. apply (f_equal (@length nat)) in E4. rewrite !app_length in E4.
  rewrite (serial_length f), (serial_length g) in E4. unfold follows in E3. destruct rest as [|x rest]; auto. exfalso. simpl in E4.
  destruct (serial f), (serial g); lia.
Qed.

Section Graph.
(** Where wires lead; at which nodes several meet, and what [join] is there. *)
Variables (source target : nat -> nat) (is_each is_all : nat -> bool).
Hypothesis one_wire : forall w w', target w = target w' -> is_each (target w) = false -> is_all (target w) = false -> w = w'.
Inductive fits : firing -> Prop :=
| f_start n : fits (Start n)
| f_begin n w e : target w = n -> e = is_each n -> is_all n = false -> fits (Begin n w e)
| f_one n w e g : target w = n -> source w = node g -> e = is_each n -> is_all n = false -> fits (One n w e g)
| f_all n k l : is_all n = true -> fits (All n k l).
(** The firings of one scope. *)
Variable fired : firing -> Prop.
Hypothesis fired_fits : forall f, fired f -> fits f.
Hypothesis fired_from : forall n w e g, fired (One n w e g) -> fired g.
(** The how many-th firing of a join is one (Workflow.joins_are_numbered). *)
Hypothesis nth_is_one : forall n k l l', fired (All n k l) -> fired (All n k l') -> l = l'.
(** W2: a node with one wire that fires for no token does not fire for a token with which the scope begins, too. *)
Hypothesis start_or_begin : forall n w, fired (Start n) -> ~ fired (Begin n w false).

Lemma round_positive f : 1 <= round f.
Proof. destruct f; simpl; lia. Qed.

Lemma of_begin n w e : fits (Begin n w e) -> target w = n /\ e = is_each n /\ is_all n = false.
Proof. now inversion 1. Qed.
Lemma of_one n w e f : fits (One n w e f) -> target w = n /\ source w = node f /\ e = is_each n /\ is_all n = false.
Proof. now inversion 1. Qed.
Lemma of_all n k l : fits (All n k l) -> is_all n = true.
Proof. now inversion 1. Qed.

(** W10: no two firings of a scope have the same key. *)
Theorem unique f : forall g, fired f -> fired g -> key f = key g -> f = g.
Proof.
  induction f as [n|n w e|n w e f IH|n k l]; intros g Ff Fg E; destruct (key_parts _ _ E) as (R & N & L & S);
    pose proof (fired_fits _ Ff) as X; pose proof (fired_fits _ Fg) as Y;
    destruct g as [n'|n' w' e'|n' w' e' g|n' k' l']; simpl in R, N, L, S; subst n'; auto; try discriminate;
    try (pose proof (round_positive g); lia); try (pose proof (round_positive f); lia).
  - destruct e'; [discriminate|exfalso; eapply start_or_begin; eauto].
  - destruct e; [discriminate|exfalso; eapply start_or_begin; eauto].
  - destruct (of_begin _ _ _ X) as (T & E1 & A), (of_begin _ _ _ Y) as (T' & E2 & _). subst e e'.
    destruct (is_each n) eqn:Ea; [congruence|]. f_equal. apply one_wire; congruence.
  - destruct (of_one _ _ _ _ X) as (T & Sf & E1 & A), (of_one _ _ _ _ Y) as (T' & Sg & E2 & _). subst e e'.
    assert (K : w = w' /\ lane f = lane g).
    { destruct (is_each n) eqn:Ea; [apply app_inj_tail in L; tauto|]. split; auto. apply one_wire; congruence. }
    destruct K as [-> L']. f_equal. apply IH; eauto. unfold key, follows. rewrite L', S.
    replace (round f) with (round g) by congruence. now replace (node f) with (node g) by congruence.
  - destruct (of_one _ _ _ _ X) as (_ & _ & _ & A). pose proof (of_all _ _ _ Y). congruence.
  - destruct (of_one _ _ _ _ Y) as (_ & _ & _ & A). pose proof (of_all _ _ _ X). congruence.
  - injection S as ->. now rewrite (nth_is_one _ _ _ _ Ff Fg).
Qed.
End Graph.

(** Without the last premise it is not so: a node with one wire that fires for no token, and for a token with which the scope
    begins, fires twice under one key. *)
Example start_and_begin n w : Start n <> Begin n w false /\ key (Start n) = key (Begin n w false).
Proof. split; [discriminate|reflexivity]. Qed.
