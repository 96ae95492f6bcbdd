(** What a workflow leaves behind (W9, W11, W13, W14): the machine of Workflow.v, whose firings do what they find in their stores
    (History.v), in the order of their keys (Order.v).

    Workflow.v takes what a firing does as a function of its name. Here that function is made: what a firing finds is a fold over
    what those in its past have left, and what it leaves is what its body makes of it. *)
From Coq Require Import List Arith Lia Bool Permutation Sorted.
From TF Require Import Store PathOrder History Workflow.
Import ListNotations.

Section Outcome.
Variables (P C X : Type).                        (* places, cells, names of firings *)
Variable C_dec : forall a b : C, {a = b} + {a <> b}.
Variable policy_of : P -> policy C.
Variable places : list P.
Notation cells := (cells_of P C).
Notation work := (work P C X).
Notation fold := (fold P C X C_dec policy_of places).

Variable owner : cells.                          (* the store of whoever runs the workflow *)
(** With whose store a firing begins: the one before in its strand (W11), the one that has opened its scope (W13), itself before
    a scope of its own came back (W13); none: the owner's. *)
Variable begins : X -> option X.
(** And what it comes after, in canonical order (W9, W10): strands, each by its first firing and its last. None, if it goes on in
    its strand; the strands of its scope, if that has come back. *)
Variable past : X -> list (X * X).
Variable run : X -> cells -> cells.              (* its body *)
(** A past is over before what comes after it. *)
Variable rank : X -> nat.
Hypothesis begins_rank : forall x y, begins x = Some y -> rank y < rank x.
Hypothesis past_rank : forall x a b, In (a, b) (past x) -> rank a < rank x /\ rank b < rank x.

Fixpoint each {A : Type} (l : list (option A)) : option (list A) :=
  match l with
  | [] => Some []
  | x :: l' => match x, each l' with Some a, Some k => Some (a :: k) | _, _ => None end
  end.
(** What a firing finds and leaves, if those before it merge, given that of all with a smaller rank. *)
Section Step.
Variable known : X -> option (cells * cells).
Definition strand_work (s : X * X) : option work :=
  match known (fst s), known (snd s) with Some (f, _), Some (_, l) => Some (Build_work _ _ _ (fst s) f l) | _, _ => None end.
Definition merged_from (b : option X) (l : list (X * X)) : option cells :=
  match match b with None => Some owner | Some y => option_map snd (known y) end, each (map strand_work l) with
  | Some c, Some w => fold c w
  | _, _ => None
  end.
Definition from_past (x : X) : option (cells * cells) :=
  match merged_from (begins x) (past x) with Some c => Some (c, run x c) | None => None end.
End Step.
Fixpoint within (k : nat) (x : X) : option (cells * cells) :=
  match k with 0 => None | S k' => from_past (within k') x end.
Definition stores (x : X) := within (S (rank x)) x.

Lemma same_known k k' b l : (forall y, b = Some y -> k y = k' y) -> (forall s, In s l -> k (fst s) = k' (fst s) /\ k (snd s) = k' (snd s)) ->
  merged_from k b l = merged_from k' b l.
Proof.
  intros B S. unfold merged_from. replace (map (strand_work k) l) with (map (strand_work k') l).
  - destruct b as [y|]; auto. now rewrite (B y eq_refl).
  - apply map_ext_in. intros s I. unfold strand_work. destruct (S s I) as [-> ->]. auto.
Qed.
Lemma enough_rank : forall n x k k', rank x < n -> rank x < k -> rank x < k' -> within k x = within k' x.
Proof.
  induction n as [|n IH]; intros x [|k] [|k'] Ln Lk Lk'; try lia. simpl. unfold from_past.
  rewrite (same_known (within k) (within k')); auto.
  - intros y E. apply begins_rank in E. apply IH; lia.
  - intros [a b] I. destruct (past_rank _ _ _ I). simpl. split; apply IH; lia.
Qed.
Lemma by_past x : stores x = from_past stores x.
Proof.
  unfold stores at 1. simpl. unfold from_past. rewrite (same_known (within (rank x)) stores); auto.
  - intros y E. apply begins_rank in E. apply (enough_rank (S (rank y))); lia.
  - intros [a b] I. destruct (past_rank _ _ _ I). simpl. split; [apply (enough_rank (S (rank a)))|apply (enough_rank (S (rank b)))]; lia.
Qed.
(** W9, W11, W13: what a firing finds is what those that it begins with, and comes after, have left; there is one way, and only one, in
    which that can be. *)
Theorem finds_its_past : (forall x, stores x = from_past stores x) /\
  forall other, (forall x, other x = from_past other x) -> forall x, other x = stores x.
Proof.
  split; [exact by_past|]. intros other H. assert (K : forall n x, rank x < n -> other x = stores x).
  { induction n as [|n IH]; intros x L; [lia|]. rewrite H, by_past. unfold from_past. rewrite (same_known other stores); auto.
    - intros y E. apply begins_rank in E. apply IH; lia.
    - intros [a b] I. destruct (past_rank _ _ _ I). simpl. split; apply IH; lia. }
  intro x. apply (K (S (rank x))). lia.
Qed.

(* ------------------------------------------------------------------ the machine, with these stores *)
Variable X_dec : forall a b : X, {a = b} + {a <> b}.
Variable is_all : nat -> bool.
Variable reach : nat -> nat -> Prop.
Hypothesis reach_trans : forall a b c, reach a b -> reach b c -> reach a c.
(** What a firing does next, by what its body has left (W3, W13); nothing is left where its past does not merge (W9). *)
Variable decides : nat -> X -> option cells -> doing X.
Definition does n x := decides n x (option_map snd (stores x)).
Hypothesis reach_sends : forall n x l t y, does n x = Sends X l -> In (t, y) l -> reach n t.
Variables (one : nat -> X -> X) (all : nat -> nat -> list X -> X) (skipped : nat -> list X -> X).
Variable back : nat -> X -> list (item X) -> X.
Hypothesis all_perm : forall n k l l', Permutation l l' -> all n k l = all n k l'.
Hypothesis skipped_perm : forall n l l', Permutation l l' -> skipped n l = skipped n l'.
Hypothesis back_perm : forall n x l l', Permutation l l' -> back n x l = back n x l'.
Variable enough : nat -> list X -> bool.
Hypothesis enough_perm : forall n l l', Permutation l l' -> enough n l = enough n l'.
Notation steps := (steps X X_dec is_all reach does one all skipped back enough).
Notation final := (final X X_dec is_all reach does one all skipped back enough).

(** Canonical order: that of the keys (Order.v). *)
Variable key : X -> path.
Definition canonical (l : list X) := StronglySorted (fun a b => before (key a) (key b)) l.
Lemma canonical_is_one l : forall l', canonical l -> canonical l' -> Permutation l l' -> l = l'.
Proof.
  induction l as [|a l IH]; intros l' S S' H; [apply Permutation_nil in H; auto|].
  destruct l' as [|b l']; [apply Permutation_sym, Permutation_nil in H; discriminate|].
  inversion S as [|? ? Sl Fa]; inversion S' as [|? ? Sl' Fb]; subst.
  assert (E : a = b).
  { assert (I : In a (b :: l')) by (eapply Permutation_in; [exact H|left; auto]). destruct I as [->|I]; auto.
    assert (J : In b (a :: l)) by (eapply Permutation_in; [apply Permutation_sym; exact H|left; auto]). destruct J as [->|J]; auto.
    rewrite Forall_forall in Fa, Fb. exfalso. apply (before_irrefl (key a)). eapply before_trans; [apply Fa; exact J|apply Fb; exact I]. }
  subst b. f_equal. apply IH; auto. eapply Permutation_cons_inv; eauto.
Qed.

(** Firings of the outermost scope that are over. *)
Definition is_over (i : item X) : bool := match kind_of X i, scope_of X i with Over, [] => true | _, _ => false end.
Definition over (u : list (item X)) : list X := map snd (filter is_over u).
(** Their strands, by the first and the last firing of each: a function of the firings in canonical order. *)
Variable strands : list X -> list (X * X).
(** W14: the end merges them all, as one that comes after all of them would find them. *)
Definition outcome (l : list X) : option cells := merged_from stores None (strands l).

(** W9, W14, W16: whatever schedules of a workflow come to their end leave the same firings, in the same canonical order, and the
    same store behind. *)
Theorem same_outcome n a u m v l l' : steps n a u -> final u -> steps m a v -> final v ->
  canonical l -> Permutation l (over u) -> canonical l' -> Permutation l' (over v) -> l = l' /\ outcome l = outcome l'.
Proof.
  intros Hu Fu Hv Fv Cl Pl Cl' Pl'.
  destruct (same_firings X X_dec is_all reach reach_trans does reach_sends one all skipped back all_perm skipped_perm back_perm enough
              enough_perm n a u Hu Fu m v Hv Fv) as [_ H].
  assert (E : l = l'); [|subst; auto]. apply canonical_is_one; auto.
  eapply perm_trans; [exact Pl|]. eapply perm_trans; [|apply Permutation_sym; exact Pl'].
  apply Permutation_map. now apply perm_filter.
Qed.
End Outcome.
