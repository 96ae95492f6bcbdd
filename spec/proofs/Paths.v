(** Paths of scripted nodes (T8) grow as Replay.v wants it: so no two activations of a run have the same path, in place they
    start in the order of their paths, and what Replay.v says holds of scripted nodes whose bodies begin with what the world
    answers them. *)
From Coq Require Import List Arith Lia Bool ZArith Sorted.
From TF Require Import Core Scripted PathOrder Replay.
Import ListNotations.

Section Paths.
Variable g : graph.
Notation state := Scripted.state.

(** Scripted nodes that act on the world: each body begins with what the world answers at its path, in its accumulator. *)
Definition act_in (w : path -> value) (q : state) : Act :=
  match bad q, stk q with
  | false, FStart :: s =>
      See (fun see => if all_ready g see (c_node (cur q)) then go q (acc_to (cur q) (w (c_path (cur q)))) s else fail q)
  | _, _ => act g q
  end.
Definition starts (q : state) : option path :=
  match bad q, stk q with false, FStart :: _ => Some (c_path (cur q)) | _, _ => None end.

(* ------------------------------------------------------------------ which paths are still to come *)
Definition on_line (p : path) (k : nat) (x : path) := exists j y, k <= j /\ x = p ++ j :: y.
Definition own (c : ctx) (x : path) := c_path c <> [] /\ on_line (c_path c) (c_count c) x.
Definition frame_may (f : frame) (x : path) : Prop :=
  match f with
  | FLine p k _ c => on_line p k x \/ own c x
  | FOwn _ c => own c x
  | FForks ls => exists l, In l ls /\ on_line (fst l) 0 x
  | _ => False
  end.
Fixpoint stack_may (s : list frame) (x : path) : Prop := match s with [] => False | f :: s' => frame_may f x \/ stack_may s' x end.
(** Whether the activation that is current goes on. *)
Definition running (s : list frame) : bool :=
  match s with [] | FLine _ _ _ _ :: _ | FOwn _ _ :: _ | FForks _ :: _ | FRoot :: _ => false | _ => true end.
Definition may (q : state) (x : path) : Prop :=
  starts q = Some x \/ (running (stk q) = true /\ own (cur q) x) \/ stack_may (stk q) x.

Definition apart (A B : path -> Prop) := forall x y, A x -> B y -> before x y.
Fixpoint forks_ok (ls : list (list nat * list target)) : Prop :=
  match ls with [] => True | l :: r => (forall k, In k r -> apart (on_line (fst l) 0) (on_line (fst k) 0)) /\ forks_ok r end.
Definition frame_ok (f : frame) (below : list frame) : Prop :=
  match f with
  | FLine p k _ c => apart (on_line p k) (own c) /\ (running below = true -> c_path c <> [])
  | FOwn _ c => c_path c <> []
  | FForks ls => forks_ok ls /\ running below = false
  | FRoot => running below = false
  | _ => True
  end.
Definition no_start (s : list frame) : Prop := match s with FStart :: _ => False | _ => True end.
Fixpoint stack_ok (s : list frame) : Prop :=
  match s with [] => True | f :: s' => frame_ok f s' /\ apart (frame_may f) (stack_may s') /\ no_start s' /\ stack_ok s' end.
Definition ok (q : state) : Prop :=
  stack_ok (stk q) /\ (running (stk q) = true -> c_path (cur q) <> [] /\ apart (own (cur q)) (stack_may (stk q))) /\
  (forall p, starts q = Some p -> apart (eq p) (stack_may (stk q))).

Lemma below p j y : before p (p ++ j :: y).
Proof. induction p; simpl; auto. Qed.
Lemma later p j y j' y' : j < j' -> before (p ++ j :: y) (p ++ j' :: y').
Proof. induction p; simpl; auto. Qed.
Lemma line_below p k x : on_line (p ++ [k]) 0 x -> on_line p k x.
Proof. intros (j & y & _ & ->). exists k, (j :: y). split; auto. now rewrite <- app_assoc. Qed.
Lemma line_from p k k' x : k <= k' -> on_line p k' x -> on_line p k x.
Proof. intros L (j & y & L' & ->). exists j, y. split; auto. lia. Qed.
Lemma line_apart p k : apart (on_line (p ++ [k]) 0) (on_line p (S k)).
Proof. intros x z (j & y & _ & ->) (j' & y' & L & ->). rewrite <- app_assoc. simpl. apply later. lia. Qed.
Lemma line_start p k x : on_line p k x -> before p x.
Proof. intros (j & y & _ & ->). apply below. Qed.

Definition silent (f : frame) : Prop := match f with FLine _ _ _ _ | FOwn _ _ | FForks _ | FRoot | FStart => False | _ => True end.
Lemma silent_may fs s x : Forall silent fs -> stack_may (fs ++ s) x -> stack_may s x.
Proof. induction 1 as [|f fs Sf _ IH]; simpl; auto. destruct f; simpl in *; tauto. Qed.
Lemma silent_ok fs s : Forall silent fs -> no_start s -> stack_ok s -> stack_ok (fs ++ s).
Proof.
  intros H N K. induction H as [|f fs Sf Fs IH]; simpl; auto. split; [destruct f; simpl in *; tauto|].
  split; [intros x y A; destruct f; simpl in *; tauto|]. split; auto. destruct Fs as [|f' ? Sf']; simpl; auto. destruct f'; simpl in *; auto.
Qed.
Lemma silent_no_start fs s : Forall silent fs -> no_start s -> no_start (fs ++ s).
Proof. destruct 1 as [|f fs Sf]; simpl; auto. destruct f; simpl in *; auto. Qed.
Lemma no_start_starts q : no_start (stk q) -> starts q = None.
Proof. unfold starts. destruct (bad q), (stk q) as [|[]]; simpl; tauto. Qed.

Notation goes := (goes state starts ok may).

(** The current activation goes on: it has changed its registers, given away indices, or what it does next. *)
Lemma moves q q' f s fs : ok q -> stk q = f :: s -> running (stk q) = true -> Forall silent fs -> stk q' = fs ++ s ->
  c_path (cur q') = c_path (cur q) -> c_count (cur q) <= c_count (cur q') -> goes q q'.
Proof.
  intros (K1 & K2 & K3) E Rn Fs E' Pth Cnt. destruct (K2 Rn) as [Ne Ap]. rewrite E in K1. simpl in K1. destruct K1 as (_ & _ & Ns & K1).
  assert (Sm : forall x, stack_may (stk q') x -> stack_may (stk q) x).
  { intros x. rewrite E, E'. intro S. apply silent_may in S; auto. right; auto. }
  assert (Om : forall x, own (cur q') x -> own (cur q) x).
  { intros x [N L]. split; auto. rewrite Pth in L. eapply line_from; eauto. }
  assert (St : starts q' = None) by (apply no_start_starts; rewrite E'; now apply silent_no_start).
  split; [split; [rewrite E'; now apply silent_ok|split]|].
  - intros _. split; [congruence|]. intros x y A B. apply Ap; auto.
  - rewrite St. discriminate.
  - intros x M. assert (M' : (running (stk q') = true /\ own (cur q') x) \/ stack_may (stk q') x).
    { destruct M as [M|M]; auto. rewrite St in M. discriminate. }
    split; [right; destruct M' as [[_ M']|M']; [left; auto|right; auto]|].
    intros p A. destruct M' as [[_ M']|M'].
    + apply Om in M'. destruct M' as [_ L]. unfold starts in A. destruct (bad q); [discriminate|]. destruct (stk q) as [|[]]; try discriminate.
      inversion A; subst. now apply line_start in L.
    + eapply K3; eauto.
Qed.
Lemma fails_goes q : ok q -> goes q (fail q).
Proof.
  intros (K1 & K2 & K3). assert (St : starts (fail q) = None) by reflexivity.
  split; [split; [exact K1|split; [exact K2|rewrite St; discriminate]]|].
  intros x M. destruct M as [M|M]; [rewrite St in M; discriminate|]. change (stk (fail q)) with (stk q) in M. change (cur (fail q)) with (cur q) in M.
  split; [right; auto|]. intros p A. destruct M as [[_ [_ L]]|M]; [|eapply K3; eauto].
  unfold starts in A. destruct (bad q); [discriminate|]. destruct (stk q) as [|[]]; try discriminate. inversion A; subst. now apply line_start in L.
Qed.
(** Where nobody starts, it is enough that no path is new. *)
Lemma quiet q q' : starts q = None -> ok q' -> (forall x, may q' x -> may q x) -> goes q q'.
Proof. intros St K M. split; auto. intros x I. split; auto. rewrite St. discriminate. Qed.

Lemma child_ok p l : ok (child p l) /\ forall x, may (child p l) x -> on_line p 0 x.
Proof.
  split.
  - split; [simpl; repeat split; auto|split]; try (simpl; discriminate).
    + intros x y _ [N _]. now destruct N.
    + intros x y _ [].
  - intros x [M|[[M _]|[[M|[N _]]|[]]]]; try discriminate; auto. now destruct N.
Qed.
(** A fork of the current activation. *)
Lemma forks q f s fs l : ok q -> stk q = f :: s -> running (stk q) = true -> starts q = None -> Forall silent fs ->
  let p := c_path (cur q) ++ [c_count (cur q)] in let q1 := child p l in let q2 := note (go q (next (cur q)) (fs ++ s)) p Forked in
  goes q q1 /\ goes q q2 /\ forall x y, may q1 x -> may q2 y -> before x y.
Proof.
  intros K E Rn St Fs p q1 q2. assert (G2 : goes q q2) by (eapply moves; eauto; simpl; auto).
  destruct K as (K1 & K2 & K3). destruct (K2 Rn) as [Ne Ap].
  destruct (child_ok (c_path (cur q) ++ [c_count (cur q)]) l) as [C1 C2].
  assert (Own : forall x, may q1 x -> own (cur q) x) by (intros x M; split; auto; apply line_below; now apply C2).
  split; [|split; auto].
  - apply quiet; auto. intros x M. right; left; auto.
  - intros x y M1 M2. destruct G2 as [_ G2]. destruct M2 as [M2|[[_ M2]|M2]].
    + unfold q2 in M2. rewrite no_start_starts in M2; [discriminate|]. simpl. rewrite E in K1. destruct K1 as (_ & _ & Ns & _). now apply silent_no_start.
    + destruct M2 as [_ M2]. simpl in M2. eapply line_apart; [apply C2; eauto|exact M2].
    + apply Ap; auto. rewrite E. right. simpl in M2. now apply silent_may in M2.
Qed.
(** A node is dispatched, from a line or on the own line of an activation. *)
Lemma enters q t p f s : starts q = None -> p <> [] -> (forall x, on_line p 0 x \/ x = p -> stack_may (stk q) x) ->
  stack_ok (f :: s) -> no_start (f :: s) -> (forall x, stack_may (f :: s) x -> stack_may (stk q) x) ->
  apart (fun x => x = p \/ on_line p 0 x) (stack_may (f :: s)) -> goes q (enter g q t p (f :: s)).
Proof.
  intros St Ne In_q K N Sub Ap. destruct t as [n i]. apply quiet; auto.
  - split; [|split].
    + simpl. repeat split; auto; try (intros x y []; fail); apply K.
    + intros _. split; auto. intros x y [_ A] B. simpl in B. apply Ap; [right; exact A|simpl; tauto].
    + intros x A y z <- B. assert (x = p) by (unfold starts in A; simpl in A; destruct (bad q); [discriminate|now inversion A]). subst.
      simpl in B. apply Ap; [left; auto|simpl; tauto].
  - intros x [A|[[_ [_ A]]|A]].
    + right; right. apply In_q. unfold starts in A. simpl in A. destruct (bad q); [discriminate|]. inversion A. auto.
    + right; right. apply In_q. auto.
    + right; right. simpl in A. apply Sub. simpl. tauto.
Qed.

(* ------------------------------------------------------------------ every action of a strand *)
Definition all_go (q : state) (a : Act) : Prop :=
  match a with
  | See k => forall v, goes q (k v)
  | Write _ _ k => goes q k
  | Fork _ _ c k => goes q c /\ goes q k /\ forall x y, may c x -> may k y -> before x y
  | Join _ k => forall b c l, goes q (k b c l)
  | Drop _ k => forall l, goes q (k l)
  | Halt _ | Fail => True
  end.

Ltac silently := repeat constructor.
Lemma perform_goes q o l s : ok q -> bad q = false -> stk q = FOps (o :: l) :: s -> all_go q (perform g q o (FOps l :: s)).
Proof.
  intros K B E. assert (Rn : running (stk q) = true) by now rewrite E.
  assert (St : starts q = None) by (apply no_start_starts; rewrite E; exact I).
  assert (Mv : forall q' fs, Forall silent fs -> stk q' = fs ++ s -> c_path (cur q') = c_path (cur q) -> c_count (cur q) <= c_count (cur q') -> goes q q')
    by (intros; eapply moves; eauto).
  assert (One : forall q', stk q' = FOps l :: s -> c_path (cur q') = c_path (cur q) -> c_count (cur q) <= c_count (cur q') -> goes q q')
    by (intros q' H; apply (Mv q' [FOps l]); [silently|exact H]).
  assert (Two : forall q' f, silent f -> stk q' = f :: FOps l :: s -> c_path (cur q') = c_path (cur q) -> c_count (cur q) <= c_count (cur q') -> goes q q')
    by (intros q' f Sf H; apply (Mv q' [f; FOps l]); [constructor; [exact Sf|silently]|exact H]).
  pose proof (fails_goes q K) as Fl. pose proof K as K0.
  destruct K as (K1 & K2 & K3). destruct (K2 Rn) as [Ne Ap]. rewrite E in K1, Ap. simpl in K1. destruct K1 as (_ & _ & Ns & K1).
  assert (Ap' : apart (own (cur q)) (stack_may (FOps l :: s))) by (intros x y X Y; apply Ap; auto; simpl in *; tauto).
  destruct o; unfold perform, join_stream, join, tau; cbn [all_go].
  all: try (intros; apply One; auto; fail).
  all: try (intros; apply (Two _ (FOps [])); simpl; auto; fail).
  all: try (intros v0; apply Fl).
  all: try (apply One; auto; fail).
  - intros v. destruct (ask g v (c_node (cur q)) i); auto.
  - intros v0. destruct (ask g v0 (c_node (cur q)) i); auto.
  - destruct (fits_var g v (c_acc (cur q))); cbn [all_go]; [apply One; auto|intros; apply Fl].
  - intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
  - intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
  - intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
  - (* emit *)
    destruct (concurrent (node_of g (c_node (cur q)))); cbn [all_go].
    + intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
    + set (c := cur q) in *. apply quiet; auto.
      * assert (Lo : forall x, on_line (c_path c ++ [c_count c]) 0 x -> own c x) by (intros x L; split; auto; now apply line_below).
        assert (Nx : forall x, own (next c) x -> own c x) by (intros x [_ L]; split; auto; eapply line_from; [|exact L]; simpl; auto).
        split; [|split].
        -- simpl. repeat split; auto.
           ++ intros x y L [_ M]. eapply line_apart; [exact L|exact M].
           ++ intros x y [L|L] M; apply Ap'; auto.
           ++ intros x y [].
        -- simpl. discriminate.
        -- intros p A. rewrite no_start_starts in A; [discriminate|exact I].
      * intros x [A|[[A _]|A]]; [rewrite no_start_starts in A; [discriminate|exact I]|discriminate|].
        simpl in A. destruct A as [[A|[_ A]]|[[]|A]].
        -- right; left. split; auto. split; auto. now apply line_below.
        -- right; left. split; auto. split; auto. eapply line_from; [|exact A]. simpl; auto.
        -- right; right. rewrite E. simpl. auto.
  - (* join *)
    destruct (negb (concurrent (node_of g (c_node (cur q))))); cbn [all_go]; [intros; apply One; auto|].
    destruct (discards (node_of g (c_node (cur q)))); cbn [all_go]; intros; [apply One; auto|]. destruct b; [apply One; auto|apply Fl].
  - intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
  - intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
  - intros v0. eapply Two; [|reflexivity| |]; simpl; auto.
  - (* hand-over to the activation's own line *)
    intros v0. set (c := if is_done g (c_node (cur q)) way then fired (cur q) else cur q).
    assert (Pc : c_path c = c_path (cur q) /\ c_count c = c_count (cur q)) by (unfold c; destruct (is_done _ _ _); auto).
    destruct Pc as [Pc Cc]. assert (Oc : forall x, own c x <-> own (cur q) x) by (intro x; unfold own; now rewrite Pc, Cc).
    apply quiet; auto.
    + split; [|split].
      * simpl. repeat split; auto; [congruence| |intros x y []]. intros x y M N. apply Ap'; [now apply Oc|exact N].
      * simpl. discriminate.
      * intros p A. rewrite no_start_starts in A; [discriminate|exact I].
    + intros x [A|[[A _]|A]]; [rewrite no_start_starts in A; [discriminate|exact I]|discriminate|].
      simpl in A. destruct A as [A|[[]|A]]; [right; left; split; auto; now apply Oc|right; right; rewrite E; simpl; auto].
  - (* fork *)
    exact (forks q (FOps (OFork :: l)) s [FOps l] _ K0 E Rn St ltac:(silently)).
Qed.

Lemma line_goes q p k l c s : starts q = None -> stk q = FLine p k l c :: s -> ok q -> bad q = false -> all_go q (act g q).
Proof.
  intros St E K B. unfold act. rewrite B, E. destruct K as (K1 & _ & _). rewrite E in K1. simpl in K1. destruct K1 as ((F1 & F2) & Ap & Ns & K1).
  destruct l as [|t l].
  - unfold tau; cbn [all_go]. intros _. apply quiet; auto.
    + split; [exact K1|split].
      * simpl. intros Rn. split; auto. intros x y X Y. apply Ap; simpl; auto.
      * intros x A. rewrite no_start_starts in A; [discriminate|exact Ns].
    + intros x [A|[[_ A]|A]]; [rewrite no_start_starts in A; [discriminate|exact Ns]| |]; right; right; rewrite E; simpl; simpl in A; auto.
  - unfold tau; cbn [all_go]. intros _. apply enters; auto.
    + destruct p; discriminate.
    + intros x [L| ->]; rewrite E; simpl; left; left; [now apply line_below|]. exists k, []. split; auto.
    + simpl. repeat split; auto.
      * intros x y L O. apply F1; auto. eapply line_from; [|exact L]. auto.
      * intros x y [L|O] M; apply Ap; auto; simpl; auto. left. eapply line_from; [|exact L]. auto.
    + exact I.
    + intros x [[L|O]|M]; rewrite E; simpl; auto. left; left. eapply line_from; [|exact L]. auto.
    + intros x y X Y. assert (Lx : on_line p k x) by (destruct X as [->|X]; [exists k, []; auto|now apply line_below]).
      destruct Y as [[L|O]|M].
      * destruct X as [->|X]; [|eapply line_apart; eauto]. destruct L as (j & z & L & ->). apply later. lia.
      * apply F1; auto.
      * apply Ap; simpl; auto.
Qed.

Lemma own_goes q l c s : starts q = None -> stk q = FOwn l c :: s -> ok q -> bad q = false -> all_go q (act g q).
Proof.
  intros St E K B. unfold act. rewrite B, E. destruct K as (K1 & _ & _). rewrite E in K1. simpl in K1. destruct K1 as (Ne & Ap & Ns & K1).
  destruct l as [|t l].
  - unfold tau; cbn [all_go]. intros _. apply quiet; auto.
    + split; [exact K1|split].
      * simpl. intros Rn. split; auto.
      * intros x A. rewrite no_start_starts in A; [discriminate|exact Ns].
    + intros x [A|[[_ A]|A]]; [rewrite no_start_starts in A; [discriminate|exact Ns]| |]; right; right; rewrite E; simpl; simpl in A; auto.
  - unfold tau; cbn [all_go]. intros _.
    assert (Lo : forall x, x = c_path c ++ [c_count c] \/ on_line (c_path c ++ [c_count c]) 0 x -> own c x).
    { intros x [->|L]; split; auto; [exists (c_count c), []; auto|now apply line_below]. }
    assert (Nx : forall x, own (next c) x -> own c x) by (intros x [_ L]; split; auto; eapply line_from; [|exact L]; simpl; auto).
    apply enters; auto.
    + destruct (c_path c); discriminate.
    + intros x X. rewrite E; simpl. left. apply Lo. tauto.
    + split; [exact Ne|split; [|split; auto]]. intros x y O M. apply Ap; auto. now apply Nx.
    + exact I.
    + intros x [O|M]; rewrite E; simpl; auto.
    + intros x y X [O|M]; [|apply Ap; [now apply Lo|exact M]]. destruct O as [_ L]. simpl in L. destruct X as [->|X]; [|eapply line_apart; eauto].
      destruct L as (j & z & L & ->). apply later. lia.
Qed.

Ltac goes_on K E fs := eapply (moves _ _ _ _ fs); [exact K|exact E|now rewrite E|repeat constructor|reflexivity|reflexivity|simpl; auto].
Lemma act_goes q : ok q -> all_go q (act g q).
Proof.
  intro K.
  destruct (bad q) eqn:B; [unfold act; rewrite B; exact I|].
  pose proof (fails_goes q K) as Fl. destruct (stk q) as [|f s] eqn:E; [unfold act; rewrite B, E; exact I|].
  destruct f as [|l|j todo b|grp l inner|grp| | |p k l c|l c|l|].
  - (* it starts *)
    unfold act; rewrite B, E; cbn [all_go]. intro v. destruct (all_ready g v (c_node (cur q))); [|exact Fl].
    goes_on K E (@nil frame).
  - assert (St : starts q = None) by (apply no_start_starts; rewrite E; exact I).
    unfold act; rewrite B, E. destruct l as [|o l], (ret q); unfold tau; cbn [all_go].
    1-3: intros; goes_on K E (@nil frame). now apply perform_goes.
  - unfold act; rewrite B, E. destruct todo, (ret q); unfold tau; cbn [all_go]; intros.
    1-3: goes_on K E (@nil frame).
    goes_on K E [FOps b; FLoop (S j) todo b].
  - assert (St : starts q = None) by (apply no_start_starts; rewrite E; exact I).
    unfold act; rewrite B, E. destruct l as [|t l]; unfold tau; cbn [all_go].
    + intros. goes_on K E [FOps inner; FJoin grp].
    + exact (forks q _ s [FBranch grp l inner] t K E ltac:(now rewrite E) St ltac:(silently)).
  - unfold act; rewrite B, E. unfold join; cbn [all_go]. intros b lost l. destruct b; [|exact Fl].
    goes_on K E (@nil frame).
  - unfold act; rewrite B, E. unfold join_stream, join, tau.
    assert (Mv : forall q', stk q' = s -> c_path (cur q') = c_path (cur q) -> c_count (cur q) <= c_count (cur q') -> goes q q').
    { intros q' H1 H2 H3. eapply (moves q q' _ _ []); [exact K|exact E|now rewrite E|constructor|exact H1|exact H2|exact H3]. }
    destruct (negb (concurrent (node_of g (c_node (cur q))))); cbn [all_go]; [intros; now apply Mv|].
    destruct (discards (node_of g (c_node (cur q)))); cbn [all_go]; intros; [now apply Mv|]. destruct b; [now apply Mv|exact Fl].
  - (* it hands over *)
    unfold act; rewrite B, E. unfold tau; cbn [all_go]. intros _.
    match goal with |- goes q ?q' => set (q1 := q') end.
    assert (Same : (forall x, stack_may (stk q1) x <-> stack_may s x) /\ (stack_ok s -> stack_ok (stk q1)) /\
                   (no_start s -> no_start (stk q1)) /\ (running (stk q1) = running s)).
    { unfold q1; cbn [stk]. destruct s as [|[|?|? ? ?|? ? ?|?| | |? ? ? ?|? ?|?|] s]; simpl; repeat split; auto; tauto. }
    destruct Same as (Sm & So & Sn & Sr). destruct K as (K1 & K2 & _). rewrite E in K1, K2. destruct K1 as (_ & _ & Ns & K1).
    destruct (K2 eq_refl) as [Ne Ap].
    assert (St : starts q = None) by (apply no_start_starts; rewrite E; exact I).
    apply quiet; auto.
    + split; [auto|split].
      * intros Rn. split; auto. intros x y X Y. apply Ap; auto. simpl. right. now apply Sm.
      * intros x A. rewrite no_start_starts in A; [discriminate|auto].
    + intros x [A|[[_ A]|A]]; [rewrite no_start_starts in A; [discriminate|auto]| |].
      * right; left. split; [now rewrite E|exact A].
      * right; right. rewrite E. simpl. right. now apply Sm.
  - eapply line_goes; eauto. apply no_start_starts; rewrite E; exact I.
  - eapply own_goes; eauto. apply no_start_starts; rewrite E; exact I.
  - (* parallel initiators *)
    assert (St : starts q = None) by (apply no_start_starts; rewrite E; exact I).
    unfold act; rewrite B, E. destruct K as (K1 & _ & _). rewrite E in K1. simpl in K1. destruct K1 as ((Fo & Rn) & Ap & Ns & K1).
    destruct l as [|[p t] l]; unfold tau; cbn [all_go].
    + intros _. apply quiet; auto.
      * split; [exact K1|split]; [simpl; intros R1; rewrite Rn in R1; discriminate|].
        intros x A. rewrite no_start_starts in A; [discriminate|exact Ns].
      * intros x [A|[[A _]|A]]; [rewrite no_start_starts in A; [discriminate|exact Ns]|simpl in A; rewrite Rn in A; discriminate|].
        right; right. rewrite E. simpl. auto.
    + destruct (child_ok p t) as [C1 C2]. simpl in Fo. destruct Fo as [Fo1 Fo2].
      assert (In1 : forall x, on_line p 0 x -> stack_may (stk q) x).
      { intros x L. rewrite E. simpl. left. exists (p, t). split; [left; auto|exact L]. }
      assert (In2 : forall x, stack_may (FForks l :: s) x -> stack_may (stk q) x).
      { intros x [(k & I1 & L)|M]; rewrite E; simpl; auto. left. exists k. split; [right; exact I1|exact L]. }
      assert (Q2 : forall x, may (note (go q (cur q) (FForks l :: s)) p Forked) x -> stack_may (FForks l :: s) x).
      { intros x [A|[[A _]|A]]; [rewrite no_start_starts in A; [discriminate|exact I]|discriminate|exact A]. }
      split; [|split].
      * apply quiet; auto. intros x M. right; right. apply In1. now apply C2.
      * apply quiet; auto.
        -- split; [simpl; repeat split; auto|split; [discriminate|]].
           ++ intros x y (k & I1 & L) M. apply Ap; auto. exists k. split; [right; exact I1|exact L].
           ++ intros x A. rewrite no_start_starts in A; [discriminate|exact I].
        -- intros x M. right; right. apply In2. now apply Q2.
      * intros x y M1 M2. apply C2 in M1. apply Q2 in M2. destruct M2 as [(k & I1 & L)|M2].
        -- eapply (Fo1 k I1); eauto.
        -- apply Ap; auto. exists (p, t). split; [left; auto|exact M1].
  - (* the end of the run *)
    assert (St : starts q = None) by (apply no_start_starts; rewrite E; exact I).
    unfold act; rewrite B, E. unfold join; cbn [all_go]. intros b lost l. destruct b; [|exact Fl].
    destruct K as (K1 & _ & _). rewrite E in K1. simpl in K1. destruct K1 as (Rn & _ & Ns & K1).
    apply quiet; auto.
    + split; [exact K1|split]; [simpl; intros R1; rewrite Rn in R1; discriminate|].
      intros x A. rewrite no_start_starts in A; [discriminate|exact Ns].
    + intros x [A|[[A _]|A]]; [rewrite no_start_starts in A; [discriminate|exact Ns]|simpl in A; rewrite Rn in A; discriminate|].
      right; right. rewrite E. simpl. auto.
Qed.

Lemma act_in_goes w q : ok q -> all_go q (act_in w q).
Proof.
  intro K. unfold act_in. destruct (bad q) eqn:B; [now apply act_goes|].
  destruct (stk q) as [|[] s] eqn:E; try (now apply act_goes).
  cbn [all_go]. intro v. destruct (all_ready g v (c_node (cur q))); [goes_on K E (@nil frame)|now apply fails_goes].
Qed.

Lemma single_lines i j : i < j -> apart (on_line [i] 0) (on_line [j] 0).
Proof. intros L x y (a & u & _ & ->) (b & v & _ & ->). simpl. auto. Qed.
Lemma lines_from (l : list nat) : forall i, forks_ok (combine (map (fun i => [i]) (seq i (length l))) (map (fun n => [(n, Null)]) l)) /\
  forall k, In k (combine (map (fun i => [i]) (seq i (length l))) (map (fun n => [(n, Null)]) l)) -> exists j, i <= j /\ fst k = [j].
Proof.
  induction l as [|n l IH]; intro i; simpl; [split; [auto|intros k []]|]. destruct (IH (S i)) as [F B]. split; [split; auto|].
  - intros k J. destruct (B k J) as (j & L & E). change (@fst (list nat) (list target) k = [j]) in E. rewrite E. apply single_lines. lia.
  - intros k [<-|J]; [exists i; auto|]. destruct (B k J) as (j & L & E). exists j. split; [lia|exact E].
Qed.
Lemma state0_ok parallel : ok (state0 g parallel).
Proof.
  destruct (lines_from (initiators g) 0) as [F _]. fold (lines g) in F. unfold state0. destruct parallel.
  - split; [simpl; repeat split; auto|split; [discriminate|]].
    + intros x y _ [[]|[]].
    + intros x y _ [].
    + intros x A. rewrite no_start_starts in A; [discriminate|exact I].
  - assert (K : stack_ok (map (fun x => FLine (fst x) 0 (snd x) nobody) (lines g)) /\
      no_start (map (fun x => FLine (fst x) 0 (snd x) nobody) (lines g)) /\
      running (map (fun x => FLine (fst x) 0 (snd x) nobody) (lines g)) = false).
    { induction (lines g) as [|l r IH]; simpl; [auto|]. simpl in F. destruct F as [F1 F2]. destruct (IH F2) as (K1 & K2 & K3).
      repeat split; auto.
      - intros x y _ [N _]. now destruct N.
      - rewrite K3. discriminate.
      - intros x y [L|[N _]]; [|now destruct N]. intro M. clear IH K1 K2 K3.
        induction r as [|k r IHr]; simpl in M; [destruct M|]. destruct M as [[M|[N _]]|M]; [|now destruct N|].
        + eapply (F1 k); eauto. left; auto.
        + apply IHr; auto; [intros k' I; apply F1; right; auto|simpl in F2; tauto]. }
    destruct K as (K1 & K2 & K3). split; [exact K1|split].
    + simpl. rewrite K3. discriminate.
    + intros x A. rewrite no_start_starts in A; [discriminate|exact K2].
Qed.

(* ------------------------------------------------------------------ what follows *)
Notation run_in := (run place value state res value place_dec (policy_of g) (universe g) act_in starts).
Lemma act_in_local w w' q : (forall p, starts q = Some p -> w p = w' p) -> act_in w q = act_in w' q.
Proof.
  unfold act_in, starts. intro H. destruct (bad q); auto. destruct (stk q) as [|[]]; auto. now rewrite (H _ eq_refl).
Qed.
Lemma starts_may q p : ok q -> starts q = Some p -> may q p.
Proof. intros _ A. left; auto. Qed.

(** T8: no two activations of a run have the same path; in place they start in the order of their paths. *)
Theorem activations_in_order w parallel j st r : run_in w (state0 g parallel) (store0 g) [] j st r -> StronglySorted before (map fst j).
Proof.
  intro H. eapply (in_order _ _ _ _ _ place_dec _ _ act_in starts ok may); try exact H; try apply state0_ok; try exact starts_may.
  - intros w0 s k v K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s p v k K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s g0 k b c l K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s g0 k l K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s g0 n q k K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. exact G.
Qed.

(** J6, J16: of scripted nodes that act on the world, the entries below a path are a consistent cut; nothing is assumed of the
    graph. *)
Theorem scripted_cut p w w' parallel j st r j' st2 r2 : run_in w (state0 g parallel) (store0 g) [] j st r ->
  (forall q, before q p -> w q = w' q) -> run_in w' (state0 g parallel) (store0 g) [] j' st2 r2 ->
  (j = j' /\ st = st2 /\ r = r2) \/ cut value p j j'.
Proof.
  intros H Al H'. eapply (consistent_cut _ _ _ _ _ place_dec _ _ act_in starts act_in_local ok may);
    try exact H; try exact H'; try exact Al; try apply state0_ok; try exact starts_may.
  - intros w0 s k v K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s p0 v k K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s g0 k b c l K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s g0 k l K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. apply G.
  - intros w0 s g0 n q k K A. pose proof (act_in_goes w0 s K) as G. rewrite A in G. exact G.
Qed.
End Paths.
