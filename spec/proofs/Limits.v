(** Limits of workflows (W16): whatever limits there are of a workflow, of nodes, of groups and of queues, they only choose among the
    schedules of Workflow.v, and they hang nothing.

    A firing is ready, and starts when it may; from then on it is under way, also while it waits for a scope of its own. Priorities
    choose among those that may start, so nothing is said of them. *)
From Coq Require Import List Arith Lia Bool Permutation.
From TF Require Import Workflow.
Import ListNotations.

Section Limits.
Variables (X : Type) (X_dec : forall a b : X, {a = b} + {a <> b}).
Variable is_all : nat -> bool.
Variable reach : nat -> nat -> Prop.
Hypothesis reach_trans : forall a b c, reach a b -> reach b c -> reach a c.
Hypothesis reach_dec : forall a b, {reach a b} + {~ reach a b}.
Variable does : nat -> X -> doing X.
Variables (one : nat -> X -> X) (all : nat -> nat -> list X -> X) (skipped : nat -> list X -> X).
Variable back : nat -> X -> list (item X) -> X.
Variable enough : nat -> list X -> bool.
Notation item := (item X). Notation kind_of := (kind_of X). Notation scope_of := (scope_of X). Notation node_of := (node_of X).
Notation fire := (fire X X_dec is_all reach does one all skipped back enough).
Notation step := (step X X_dec is_all reach does one all skipped back enough).

(** Limits; 0 is none. *)
Variables (total : nat) (limit queue : nat -> nat) (group : nat -> option nat) (size : nat -> nat).
Hypothesis size_positive : forall g, 0 < size g.
Variable wire : nat -> nat -> Prop.
Hypothesis wire_reach : forall a b, wire a b -> reach a b.

(** Firings with whether they have started. *)
Definition state := list (item * bool).
Definition items (a : state) : list item := map fst a.
Definition under_way (x : item * bool) : bool := match kind_of (fst x) with Waiting => true | Firing => snd x | _ => false end.
Definition ready (x : item * bool) : bool := match kind_of (fst x) with Firing => negb (snd x) | _ => false end.
Definition in_scope s (x : item * bool) : bool := if scope_dec X X_dec (scope_of (fst x)) s then true else false.
Definition at_node n (x : item * bool) : bool := node_of (fst x) =? n.
Definition of_group g (x : item * bool) : bool := match group (node_of (fst x)) with Some h => h =? g | None => false end.
Definition count (f : item * bool -> bool) s (a : state) := length (filter (fun x => in_scope s x && f x) a).

(** W16: in its scope there is room for a firing of this node. *)
Definition room (a : state) s n : Prop :=
  (total = 0 \/ count under_way s a < total) /\
  (limit n = 0 \/ count (fun x => under_way x && at_node n x) s a < limit n) /\
  (forall g, group n = Some g -> count (fun x => under_way x && of_group g x) s a < size g) /\
  (* no queue is full that a wire leads straight to, but in the circle of the node itself *)
  (forall t, wire n t -> ~ reach t n -> queue t = 0 \/ count (fun x => ready x && at_node t x) s a < queue t).

Inductive limited : state -> state -> Prop :=
| l_start a b s n x r : Permutation a (((Firing, (s, n), x), false) :: r) -> room a s n ->
    Permutation b (((Firing, (s, n), x), true) :: r) -> limited a b
| l_fire a b c p cond r : fire (items c) p cond -> (forall i, In (i, false) c -> kind_of i <> Firing) ->
    Permutation a (c ++ r) -> cond (items r) -> Permutation b (map (fun i => (i, false)) p ++ r) -> limited a b.

(** W16: limits choose among the schedules that there are: each step that they allow is one of Workflow.v, or a start, which changes
    nothing there. So what comes of a workflow is the same with any limits (Workflow.same_firings, Outcome.same_outcome). *)
Theorem limits_choose a b : limited a b -> Permutation (items a) (items b) \/ step (items a) (items b).
Proof.
  destruct 1 as [a b s n x r H _ H'|a b c p cond r F _ H C H'].
  - left. apply (Permutation_map fst) in H, H'. unfold items. eapply perm_trans; [exact H|]. apply Permutation_sym. exact H'.
  - right. exists (items c), p, cond, (items r). split; auto. split; [|split; auto].
    + apply (Permutation_map fst) in H. unfold items. now rewrite map_app in H.
    + apply (Permutation_map fst) in H'. rewrite map_app, map_map in H'. simpl in H'. now rewrite map_id in H'.
Qed.

Lemma none (f : item * bool -> bool) s a : (forall x, In x a -> scope_of (fst x) = s -> f x = false) -> count f s a = 0.
Proof.
  intro H. unfold count. replace (filter _ a) with (@nil (item * bool)); auto. symmetry. induction a as [|x a IH]; simpl; auto.
  rewrite IH by (intros; apply H; simpl; auto). unfold in_scope. destruct (scope_dec X X_dec (scope_of (fst x)) s) as [E|]; simpl; auto.
  rewrite H; simpl; auto.
Qed.
Lemma nobody_waited_for a : waits_for_nobody X X_dec is_all reach does one all skipped back enough (items a) -> exists b, limited a b.
Proof.
  intros (c & p & cond & r & F & H & C & N). apply Permutation_sym, Permutation_map_inv in H. destruct H as (a' & E & H).
  symmetry in E. apply map_eq_app in E. destruct E as (c' & r' & -> & <- & <-).
  eexists. eapply l_fire; [exact F| |exact H|exact C|reflexivity].
  intros i I. apply N. change i with (fst (i, false)). now apply in_map.
Qed.

(** W7, W16: with a token or a firing anywhere, something starts or goes on, whatever the limits. *)
Theorem limits_hang_nothing a : (exists x, In x a /\ alive X (fst x) = true) -> exists b, limited a b.
Proof.
  intros (x0 & I0 & A0).
  destruct (somebody X X_dec (items a)) as (s & Below & [(n & x & I)|[(NW & n & x & I)|[Ex Tok]]]).
  { exists (fst x0). split; auto. now apply in_map. }
  - apply nobody_waited_for. eapply comes_back; eauto.
  - destruct (existsb (fun y => in_scope s y && under_way y) a) eqn:Ex.
    + (* one has started: it goes on *)
      apply existsb_exists in Ex. destruct Ex as (y & J & Y). apply andb_true_iff in Y. destruct Y as [Sy Uy].
      unfold in_scope in Sy. destruct (scope_dec X X_dec (scope_of (fst y)) s) as [Es|]; [|discriminate].
      destruct y as [[[k [s' m]] z] b]. unfold under_way, Workflow.kind_of in Uy. unfold Workflow.scope_of in Es. simpl in Uy, Es. subst s'.
      destruct k; try discriminate.
      * subst b. apply in_split in J. destruct J as (l1 & l2 & ->).
        assert (H : Permutation (l1 ++ ((Firing, (s, m), z), true) :: l2) ([((Firing, (s, m), z), true)] ++ (l1 ++ l2))) by (simpl; apply Permutation_sym, Permutation_middle).
        destruct (goes_on X X_dec is_all reach does one all skipped back enough (items (l1 ++ ((Firing, (s, m), z), true) :: l2)) s m z (items (l1 ++ l2)) Below NW) as (p & cond & F & C).
        { exact (Permutation_map fst H). }
        eexists. eapply (l_fire _ _ [((Firing, (s, m), z), true)]); [exact F| |exact H|exact C|reflexivity].
        intros i [E|[]]. discriminate.
      * exfalso. apply (NW (Waiting, (s, m), z)); auto. change (Waiting, (s, m), z) with (fst ((Waiting, (s, m), z), b)). now apply in_map.
    + (* none has: of those that are ready, one that leads to none of the others may start *)
      assert (No : forall y, In y a -> scope_of (fst y) = s -> under_way y = false).
      { intros y J E. destruct (under_way y) eqn:U; auto. exfalso.
        assert (existsb (fun y => in_scope s y && under_way y) a = true); [|congruence]. apply existsb_exists. exists y. split; auto.
        unfold in_scope. destruct (scope_dec X X_dec (scope_of (fst y)) s); [auto|congruence]. }
      set (L := map (fun y => node_of (fst y)) (filter (fun y => in_scope s y && ready y) a)).
      assert (InL : forall y, In y a -> scope_of (fst y) = s -> ready y = true -> In (node_of (fst y)) L).
      { intros y J E Ry. apply (in_map (fun y => node_of (fst y))). apply filter_In. split; auto. unfold in_scope.
        destruct (scope_dec X X_dec (scope_of (fst y)) s); [auto|congruence]. }
      assert (NE : L <> []).
      { apply in_map_iff in I. destruct I as (y & Ey & J). intro EL. assert (K : In (node_of (fst y)) L); [|rewrite EL in K; destruct K].
        assert (Ks : scope_of (fst y) = s) by now rewrite Ey. apply InL; auto.
        pose proof (No y J Ks) as U. unfold under_way in U. unfold ready. rewrite Ey in *. unfold Workflow.kind_of in *. simpl in *. now rewrite U. }
      destruct (source_part (fun m k => reach k m) (fun u v w H1 H2 => reach_trans _ _ _ H2 H1) (fun u v => reach_dec v u) L NE) as (m & Im & Hm).
      apply in_map_iff in Im. destruct Im as (y & Em & J). apply filter_In in J. destruct J as [J Fy]. apply andb_true_iff in Fy. destruct Fy as [Sy Ry].
      unfold in_scope in Sy. destruct (scope_dec X X_dec (scope_of (fst y)) s) as [Es|]; [|discriminate].
      destruct y as [[[k [s' m']] z] b]. unfold ready, Workflow.kind_of in Ry. unfold Workflow.scope_of in Es. unfold Workflow.node_of in Em.
      simpl in Ry, Es, Em. subst s' m'. destruct k; try discriminate. destruct b; [discriminate|].
      apply in_split in J. destruct J as (l1 & l2 & Ea).
      exists (((Firing, (s, m), z), true) :: (l1 ++ l2)). eapply (l_start _ _ s m z (l1 ++ l2)); [subst a; apply Permutation_sym, Permutation_middle| |reflexivity].
      assert (Z : forall f, count (fun y => under_way y && f y) s a = 0) by (intro f; apply none; intros y J E; now rewrite No).
      split; [|split; [|split]].
      * destruct total; [auto|right]. rewrite none by auto. lia.
      * destruct (limit m); [auto|right]. rewrite Z. lia.
      * intros g _. rewrite Z. auto.
      * intros t W Nr. destruct (queue t) eqn:Q; [auto|right]. rewrite none; [lia|].
        intros y J E. destruct (ready y) eqn:R; auto. simpl. unfold at_node. apply Nat.eqb_neq. intro Et. apply Nr.
        apply Hm; [|now apply wire_reach]. rewrite <- Et. now apply InL.
  - apply nobody_waited_for. eapply tokens_fire; eauto.
Qed.
End Limits.
