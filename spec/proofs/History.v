(** F9, and workflows on top of it (W9, W11): forks that come after forks. What a fork finds is a fold of what those before
    it wrote, in an order that does not depend on time.

    A cell has an identity: a write makes a new one, and merging the same three cells makes the same one. A store is here
    what is seen of it, a cell for each place. Left out: how the whole group is joined to its owner in the end, which is F3
    (Core.v), and the conflicts that are told. *)
From Coq Require Import List Arith Lia Bool Permutation.
From TF Require Import Store.
Import ListNotations.

Section History.
Variables (P C N : Type).                        (* places, cells, names of forks *)
Variable C_dec : forall a b : C, {a = b} + {a <> b}.
Variable N_dec : forall a b : N, {a = b} + {a <> b}.
Variable policy_of : P -> policy C.              (* [Make f]: the cell that comes of merging three, or none *)
Variable places : list P.
Definition cells_of := P -> option C.

Definition cell_dec (a b : option C) : {a = b} + {a <> b}.
Proof. decide equality. Defined.

(** F9: what comes of one place when a fork is merged that found [base] there and left [theirs]; [mine] is the older. *)
Definition put (w : policy C) (base mine theirs : option C) : option (option C) :=
  if cell_dec theirs base then Some mine else         (* it did not write there *)
  if cell_dec mine base then Some theirs else         (* who writes over what it found is alone with that *)
  match w with
  | Stamp | Last => Some theirs
  | First => Some mine
  | Make f => match base, mine, theirs with Some b, Some m, Some t => option_map Some (f b m t) | _, _, _ => Some theirs end
  end.

(** A fork that has ended: its name, what it found, what it left. *)
Record work := { name : N; found : cells_of; left : cells_of }.
Definition add (mine : cells_of) (x : work) : option cells_of :=
  let at_place p := put (policy_of p) (found x p) (mine p) (left x p) in
  if existsb (fun p => match at_place p with None => true | Some _ => false end) places then None
  else Some (fun p => match at_place p with Some c => c | None => mine p end).
(** [None]: they do not merge (F4). *)
Fixpoint fold (mine : cells_of) (l : list work) : option cells_of :=
  match l with [] => Some mine | x :: l' => match add mine x with Some c => fold c l' | None => None end end.

Variable owner : cells_of.                        (* the owner's store when the group is opened *)
Variable past : N -> list N.                      (* what a fork comes after, in the order of the group *)
Variable run : N -> cells_of -> cells_of.         (* what it makes of what it finds *)

Fixpoint recorded (e : list work) (n : N) : option work :=
  match e with [] => None | x :: e' => if N_dec (name x) n then Some x else recorded e' n end.
Fixpoint all_recorded (e : list work) (l : list N) : option (list work) :=
  match l with
  | [] => Some []
  | n :: l' => match recorded e n, all_recorded e l' with Some x, Some k => Some (x :: k) | _, _ => None end
  end.
(** What a fork finds that comes after these. *)
Definition finds (e : list work) (l : list N) : option cells_of :=
  match all_recorded e l with Some k => fold owner k | None => None end.

(** An execution: forks that have ended, the last one first, each made when all of its past had ended. That is every
    schedule there is, as far as forks can see one another. *)
Inductive execution : list work -> Prop :=
| x_none : execution []
| x_more e n c : execution e -> recorded e n = None -> finds e (past n) = Some c ->
    execution ({| name := n; found := c; left := run n c |} :: e).

Lemma recorded_name e n x : recorded e n = Some x -> name x = n.
Proof. induction e as [|y e IH]; simpl; [discriminate|]. destruct (N_dec (name y) n); [intros [= <-]; auto|auto]. Qed.

Lemma all_recorded_more e e' l : (forall n x y, recorded e n = Some x -> recorded e' n = Some y -> x = y) ->
  forall k k', all_recorded e l = Some k -> all_recorded e' l = Some k' -> k = k'.
Proof.
  intros H. induction l as [|n l IH]; simpl; intros k k' A B; [congruence|].
  destruct (recorded e n) eqn:E1; [|discriminate]. destruct (recorded e' n) eqn:E2; [|discriminate].
  destruct (all_recorded e l) eqn:A1; [|discriminate]. destruct (all_recorded e' l) eqn:A2; [|discriminate].
  inversion A; inversion B; subst. f_equal; eauto.
Qed.

Lemma made e n x : execution e -> recorded e n = Some x ->
  exists e0 c, execution e0 /\ length e0 < length e /\ finds e0 (past n) = Some c /\ x = {| name := n; found := c; left := run n c |}.
Proof.
  induction 1 as [|e m c H IH R F]; simpl; [discriminate|]. destruct (N_dec m n) as [->|].
  - intros [= <-]. exists e, c. repeat split; auto.
  - intro E. destruct (IH E) as (e0 & c0 & A & L & B). exists e0, c0. split; auto.
Qed.

(** F9, W9: a fork finds and leaves the same in every execution: it depends on its past alone, not on which fork was faster
    or which others there are. *)
Theorem past_alone : forall e e' n x y, execution e -> execution e' ->
  recorded e n = Some x -> recorded e' n = Some y -> x = y.
Proof.
  assert (K : forall k e e' n x y, length e + length e' <= k -> execution e -> execution e' ->
    recorded e n = Some x -> recorded e' n = Some y -> x = y).
  { induction k as [|k IH]; intros e e' n x y L H H' R R'.
    - destruct e; [discriminate|simpl in L; lia].
    - destruct (made _ _ _ H R) as (e0 & c & X & L0 & F & ->), (made _ _ _ H' R') as (e1 & d & Y & L1 & G & ->).
      assert (E : c = d); [|now subst]. unfold finds in F, G.
      destruct (all_recorded e0 (past n)) as [l|] eqn:A; [|discriminate].
      destruct (all_recorded e1 (past n)) as [l'|] eqn:B; [|discriminate].
      assert (l = l'); [|congruence]. eapply all_recorded_more; [|exact A|exact B].
      intros m u v U V. eapply (IH e0 e1); eauto. lia. }
  intros e e' n x y. apply (K (length e + length e')). lia.
Qed.

(** F9: and so does what the whole group leaves, whatever it is that is asked for in the order of the group. *)
Theorem same_end e e' l c c' : execution e -> execution e' -> finds e l = Some c -> finds e' l = Some c' -> c = c'.
Proof.
  intros H H' F G. unfold finds in F, G.
  destruct (all_recorded e l) as [k|] eqn:A; [|discriminate]. destruct (all_recorded e' l) as [k'|] eqn:B; [|discriminate].
  assert (k = k'); [|congruence]. eapply all_recorded_more; [|exact A|exact B]. intros n x y. now apply past_alone.
Qed.

(* ------------------------------------------------------------------ what the fold comes to *)
Lemma fold_app l l' c : fold c (l ++ l') = match fold c l with Some d => fold d l' | None => None end.
Proof. revert c; induction l as [|x l IH]; simpl; intro c; auto. destruct (add c x); auto. Qed.

Lemma add_at c x d p : add c x = Some d -> In p places -> put (policy_of p) (found x p) (c p) (left x p) = Some (d p).
Proof.
  unfold add. destruct (existsb _ places) eqn:E; [discriminate|]. intros [= <-] I.
  destruct (put (policy_of p) (found x p) (c p) (left x p)) eqn:Q; auto. exfalso.
  assert (T : existsb (fun p => match put (policy_of p) (found x p) (c p) (left x p) with None => true | Some _ => false end) places = true);
    [|congruence]. apply existsb_exists. exists p. split; auto. now rewrite Q.
Qed.

(** F9: of outputs and state that counts which is the last in the order. *)
Theorem last_counts l x l' c d p : In p places -> policy_of p = Stamp -> fold c (l ++ x :: l') = Some d ->
  left x p <> found x p -> (forall y, In y l' -> left y p = found y p) -> d p = left x p.
Proof.
  intros I W F Wx Wl. rewrite fold_app in F. destruct (fold c l) as [m|]; [|discriminate]. simpl in F.
  destruct (add m x) as [m'|] eqn:A; [|discriminate]. pose proof (add_at _ _ _ _ A I) as Q. rewrite W in Q.
  assert (E : m' p = left x p).
  { unfold put in Q. destruct (cell_dec (left x p) (found x p)); [congruence|].
    destruct (cell_dec (m p) (found x p)); congruence. }
  rewrite <- E. clear - F I Wl. revert m' F. induction l' as [|y l' IH]; simpl in *; intros m' F; [congruence|].
  destruct (add m' y) as [m2|] eqn:A; [|discriminate]. rewrite (IH (fun z Z => Wl z (or_intror Z)) _ F).
  pose proof (add_at _ _ _ _ A I) as Q. rewrite (Wl y (or_introl eq_refl)) in Q. unfold put in Q.
  destruct (cell_dec (found y p) (found y p)); congruence.
Qed.

Definition alike (c d : cells_of) := forall p, In p places -> c p = d p.
Lemma add_alike c c' x : alike c c' -> match add c x, add c' x with Some d, Some d' => alike d d' | None, None => True | _, _ => False end.
Proof.
  intro H. assert (E : forall l, (forall p, In p l -> In p places) ->
      existsb (fun p => match put (policy_of p) (found x p) (c p) (left x p) with None => true | Some _ => false end) l =
      existsb (fun p => match put (policy_of p) (found x p) (c' p) (left x p) with None => true | Some _ => false end) l).
  { induction l as [|p l IH]; simpl; intros S; auto. rewrite (H p) by auto. f_equal; auto. }
  unfold add. rewrite (E places) by auto. destruct (existsb _ places); auto. intros p I. rewrite (H p I). destruct (put _ _ _ _); auto.
Qed.
Lemma fold_alike l : forall c c', alike c c' -> match fold c l, fold c' l with Some d, Some d' => alike d d' | None, None => True | _, _ => False end.
Proof.
  induction l as [|x l IH]; simpl; intros c c' H; auto. pose proof (add_alike _ _ x H) as A.
  destruct (add c x), (add c' x); try contradiction; auto. apply IH; auto.
Qed.

(** A fork that is merged where it found all that there is: that is what it left. *)
Lemma add_own x : match add (found x) x with Some d => alike d (left x) | None => False end.
Proof.
  assert (Q : forall p, put (policy_of p) (found x p) (found x p) (left x p) = Some (left x p)).
  { intro p. unfold put. destruct (cell_dec (left x p) (found x p)); [congruence|]. destruct (cell_dec (found x p) (found x p)); congruence. }
  unfold add. replace (existsb _ places) with false.
  - intros p _. now rewrite Q.
  - symmetry. induction places as [|p l IH]; simpl; auto. now rewrite Q.
Qed.

(** F9, W11: nobody needs to begin at the beginning. If all of a fork's past comes before some fork of it, that one itself,
    or after, then what that one left is where to begin. With nothing after it: who comes after one fork alone finds what
    that one left, so that it makes no difference to it whether it goes on in the same strand. *)
Theorem waist e w x rest c d : execution e -> recorded e w = Some x ->
  all_recorded e (past w ++ w :: rest) <> None ->
  finds e (past w ++ w :: rest) = Some c ->
  (forall k, all_recorded e rest = Some k -> fold (left x) k = Some d) -> alike c d.
Proof.
  intros H R A F D. unfold finds in F.
  assert (Split : forall l l', all_recorded e (l ++ l') =
     match all_recorded e l, all_recorded e l' with Some k, Some k' => Some (k ++ k') | _, _ => None end).
  { induction l as [|n l IH]; simpl; intro l'; [destruct (all_recorded e l'); auto|]. rewrite IH.
    destruct (recorded e n), (all_recorded e l), (all_recorded e l'); auto. }
  rewrite Split in F. simpl in F. rewrite R in F.
  destruct (all_recorded e (past w)) as [k|] eqn:K; [|discriminate].
  destruct (all_recorded e rest) as [k'|] eqn:K'; [|discriminate].
  destruct (made _ _ _ H R) as (e0 & c0 & X & _ & G & E).
  assert (G' : fold owner k = Some c0).
  { unfold finds in G. destruct (all_recorded e0 (past w)) as [k0|] eqn:K0; [|discriminate].
    assert (k0 = k); [|now subst]. eapply all_recorded_more; [|exact K0|exact K]. intros n u v. now apply past_alone. }
  rewrite fold_app, G' in F. simpl in F. pose proof (add_own x) as O. replace (found x) with c0 in O by now rewrite E.
  destruct (add c0 x) as [m|]; [|discriminate]. pose proof (fold_alike k' _ _ O) as L.
  rewrite F, (D _ eq_refl) in L. exact L.
Qed.

(** F9: merging what several forks have found alike counts once: a fork that found what is there, and did not write, changes
    nothing. *)
Lemma silent mine x p : In p places -> left x p = found x p -> forall d, add mine x = Some d -> d p = mine p.
Proof.
  intros I E d A. pose proof (add_at _ _ _ _ A I) as Q. rewrite E in Q. unfold put in Q.
  destruct (cell_dec (found x p) (found x p)); congruence.
Qed.
End History.
