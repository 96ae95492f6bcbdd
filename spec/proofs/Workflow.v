(** Workflows: exec wires that carry tokens. Which firings there are, with which tokens and under which names, does not
    depend on the schedule; loops, joins that wait for one another (W6), skipping (W7) and scopes (W13) included. And a
    workflow never hangs.

    A firing is known by a name of the type [X]; what it does is a function of its name (W9, see History.v). Left out:
    [join: first] (W8), whose outcome is a matter of time, and with it whatever ends a scope early. *)
From Coq Require Import List Arith Lia Bool Permutation.
Import ListNotations.

(** Of finitely many nodes there is one from which wires lead back to all that lead to it. *)
Section Parts.
Variable reach : nat -> nat -> Prop.
Hypothesis reach_trans : forall a b c, reach a b -> reach b c -> reach a c.
Hypothesis reach_dec : forall a b, {reach a b} + {~ reach a b}.
Lemma source_part (L : list nat) : L <> [] -> exists n, In n L /\ forall m, In m L -> reach m n -> reach n m.
Proof.
  induction L as [|a L IH]; [congruence|]. intros _. destruct L as [|b L].
  - exists a. split; [left; auto|]. intros m [<-|[]]; auto.
  - destruct IH as (n & I & H); [discriminate|].
    destruct (reach_dec a n) as [R|R]; [destruct (reach_dec n a) as [R'|R']|].
    + exists n. split; [right; auto|]. intros m [<-|J]; auto.
    + exists a. split; [left; auto|]. intros m [<-|J]; auto. intro Rm. eapply reach_trans; eauto.
    + exists n. split; [right; auto|]. intros m [<-|J]; [tauto|auto].
Qed.
End Parts.
Lemma least (L : list nat) (C : nat -> Prop) : (forall m, {C m} + {~ C m}) -> (exists m, In m L /\ C m) ->
  exists k, In k L /\ C k /\ forall m, In m L -> C m -> k <= m.
Proof.
  intros D. induction L as [|a L IH]; intros (m & I & Cm); [destruct I|].
  assert (E : (exists m, In m L /\ C m) \/ forall m, In m L -> ~ C m).
  { clear - D. induction L as [|b L [(m & J & Cm)|N]]; [right; intros ? []|left; exists m; simpl; auto|].
    destruct (D b); [left; exists b; simpl; auto|right; intros m [<-|J]; auto]. }
  destruct E as [E|N].
  - destruct (IH E) as (k & Ik & Ck & Mk). destruct (D a) as [Ca|Na].
    + destruct (le_lt_dec a k).
      * exists a. split; [left; auto|]. split; auto. intros m' [<-|J] Cm'; auto. specialize (Mk _ J Cm'); lia.
      * exists k. split; [right; auto|]. split; auto. intros m' [<-|J] Cm'; [lia|auto].
    + exists k. split; [right; auto|]. split; auto. intros m' [<-|J] Cm'; [tauto|auto].
  - destruct I as [<-|I]; [|exfalso; eapply N; eauto]. exists a. split; [left; auto|]. split; auto.
    intros m' [<-|J] Cm'; [lia|exfalso; eapply N; eauto].
Qed.

Section Run.
Variables (X : Type) (X_dec : forall a b : X, {a = b} + {a <> b}).
Variable is_all : nat -> bool.                         (* W4: nodes with [join: all], at which several wires meet *)
Variable reach : nat -> nat -> Prop.                   (* wires lead there, straight or over other nodes *)
Hypothesis reach_trans : forall a b c, reach a b -> reach b c -> reach a c.
Hypothesis reach_dec : forall a b, {reach a b} + {~ reach a b}.

(** What a firing does next: it ends and sends tokens (W3), or it opens a scope with tokens in it (W13). *)
Inductive doing := Sends (l : list (nat * X)) | Opens (l : list (nat * X)).
Variable does : nat -> X -> doing.
Hypothesis reach_sends : forall n x l t y, does n x = Sends l -> In (t, y) l -> reach n t.

(** A scope is known by the firings that it was opened by, the innermost first. *)
Definition scope := list (nat * X).
Definition inner (s : scope) n x : scope := (n, x) :: s.

(** What there is: tokens that wait, firings under way, firings that wait for the scope that they have opened; what is over,
    a firing or a join that was skipped; and a mark for each time that a join has fired. *)
Inductive kind := Token | Firing | Waiting | Over | Mark.
Definition item := (kind * (scope * nat) * X)%type.
Definition kind_of (i : item) := fst (fst i).
Definition scope_of (i : item) := fst (snd (fst i)).
Definition node_of (i : item) := snd (snd (fst i)).
Definition alive (i : item) := match kind_of i with Token | Firing | Waiting => true | _ => false end.
Definition scope_dec (a b : scope) : {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.
Definition item_dec (a b : item) : {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.

(** Names of firings: for one token; the k-th of a join for several (W10); after a scope has come back with what is over in
    it; and of what is skipped. The order in which tokens came makes no difference to them. *)
Variables (one : nat -> X -> X) (all : nat -> nat -> list X -> X) (skipped : nat -> list X -> X).
Variable back : nat -> X -> list item -> X.
Hypothesis all_perm : forall n k l l', Permutation l l' -> all n k l = all n k l'.
Hypothesis skipped_perm : forall n l l', Permutation l l' -> skipped n l = skipped n l'.
Hypothesis back_perm : forall n x l l', Permutation l l' -> back n x l = back n x l'.
Variable enough : nat -> list X -> bool.               (* W7: [min] is reached *)
Hypothesis enough_perm : forall n l l', Permutation l l' -> enough n l = enough n l'.

Definition at_ k s n (i : item) : bool :=
  match kind_of i, k with Token, Token | Mark, Mark => if scope_dec (scope_of i) s then node_of i =? n else false | _, _ => false end.
Definition marks s n (r : list item) := length (filter (at_ Mark s n) r).
Definition tokens s (l : list (nat * X)) : list item := map (fun o => (Token, (s, fst o), snd o)) l.
Definition at_node s n (l : list X) : list item := map (fun x => (Token, (s, n), x)) l.

(** What a step takes, what it makes, and what must hold of all else that there is. *)
Inductive fire : list item -> list item -> (list item -> Prop) -> Prop :=
(* W4: a node with one wire, or with [join: each], fires for each token *)
| f_one s n x : is_all n = false -> fire [(Token, (s, n), x)] [(Firing, (s, n), one n x)] (fun _ => True)
(* W5: all tokens that can still come; W7: or it is skipped *)
| f_all s n k l : is_all n = true -> l <> [] ->
    fire (at_node s n l)
         (if enough n l then [(Firing, (s, n), all n k l); (Mark, (s, n), all n k l)] else [(Over, (s, n), skipped n l)])
         (fun r => marks s n r = k /\ forall i, In i r -> scope_of i = s -> alive i = true ->
            (kind_of i = Token -> node_of i <> n) /\
            (* nothing upstream is alive, but tokens at joins of the same part, later in the document (W6) *)
            (reach (node_of i) n -> kind_of i = Token /\ is_all (node_of i) = true /\ reach n (node_of i) /\ n < node_of i))
| f_end s n x l : does n x = Sends l ->
    fire [(Firing, (s, n), x)] ((Over, (s, n), x) :: tokens s l) (fun _ => True)
| f_open s n x l : does n x = Opens l ->
    fire [(Firing, (s, n), x)] ((Waiting, (s, n), x) :: tokens (inner s n x) l)
         (fun r => forall i, In i r -> (alive i = true -> scope_of i <> inner s n x) /\ i <> (Waiting, (s, n), x))
(* W13: it comes back when nothing is alive in its scope *)
| f_back s n x l : (forall i, In i l -> scope_of i = inner s n x /\ alive i = false) ->
    fire ((Waiting, (s, n), x) :: l) [(Firing, (s, n), back n x l)] (fun r => forall i, In i r -> scope_of i <> inner s n x).

Definition step a b := exists c p cond r, fire c p cond /\ Permutation a (c ++ r) /\ cond r /\ Permutation b (p ++ r).

(* ------------------------------------------------------------------ lists up to order *)
Lemma perm_filter (f : item -> bool) l l' : Permutation l l' -> Permutation (filter f l) (filter f l').
Proof.
  induction 1; simpl; auto.
  - destruct (f x); auto.
  - destruct (f x), (f y); auto. apply perm_swap.
  - eapply perm_trans; eauto.
Qed.
Lemma filter_all (f : item -> bool) l : (forall i, In i l -> f i = true) -> filter f l = l.
Proof. induction l as [|a l IH]; simpl; auto. intros H. rewrite (H a) by auto. f_equal; auto. Qed.
Lemma filter_none (f : item -> bool) l : (forall i, In i l -> f i = false) -> filter f l = [].
Proof. induction l as [|a l IH]; simpl; auto. intros H. rewrite (H a) by auto. auto. Qed.
Lemma split_by (f : item -> bool) c c' r r' : Permutation (c ++ r) (c' ++ r') ->
  (forall i, In i c -> f i = true) -> (forall i, In i c' -> f i = true) ->
  (forall i, In i r -> f i = false) -> (forall i, In i r' -> f i = false) -> Permutation c c' /\ Permutation r r'.
Proof.
  intros H A A' B B'. split.
  - apply (perm_filter f) in H. rewrite !filter_app, (filter_all f c), (filter_all f c'), (filter_none f r), (filter_none f r') in H by auto.
    now rewrite !app_nil_r in H.
  - apply (perm_filter (fun i => negb (f i))) in H. rewrite !filter_app in H.
    rewrite (filter_none _ c), (filter_none _ c'), (filter_all _ r), (filter_all _ r') in H; auto;
      intros i I; rewrite ?(A i I), ?(A' i I), ?(B i I), ?(B' i I); auto.
Qed.
Lemma marks_perm s n l l' : Permutation l l' -> marks s n l = marks s n l'.
Proof. intro H. apply Permutation_length. now apply perm_filter. Qed.
Lemma marks_app s n l l' : marks s n (l ++ l') = marks s n l + marks s n l'.
Proof. unfold marks. now rewrite filter_app, app_length. Qed.
Lemma no_marks s n l : (forall i, In i l -> kind_of i = Mark -> scope_of i = s -> node_of i <> n) -> marks s n l = 0.
Proof.
  intro H. unfold marks. rewrite filter_none; auto. intros i I. unfold at_. destruct (kind_of i) eqn:K; auto.
  destruct (scope_dec (scope_of i) s); auto. apply Nat.eqb_neq. auto.
Qed.
Lemma tokens_in s l i : In i (tokens s l) -> exists t y, i = (Token, (s, t), y) /\ In (t, y) l.
Proof. unfold tokens. intro I. apply in_map_iff in I. destruct I as ((t & y) & <- & I). eauto. Qed.
Lemma at_node_in s n l i : In i (at_node s n l) -> exists x, i = (Token, (s, n), x) /\ In x l.
Proof. unfold at_node. intro I. apply in_map_iff in I. destruct I as (x & <- & I). eauto. Qed.

Lemma fire_cond c p cond r r' : fire c p cond -> Permutation r r' -> cond r -> cond r'.
Proof.
  assert (K : forall i : item, Permutation r r' -> In i r' -> In i r) by (intros; eapply Permutation_in; [apply Permutation_sym|]; eauto).
  destruct 1; auto; intro Pm; eauto.
  intros [M C]. split; [rewrite <- M; apply marks_perm; now apply Permutation_sym|]. eauto.
Qed.

(** Steps that take different things do not take each other's leave. *)
Lemma fire_keeps c p cond c' p' cond' r : fire c p cond -> fire c' p' cond' -> (forall i, In i c -> ~ In i c') ->
  cond (c' ++ r) -> cond' (c ++ r) -> cond' (p ++ r).
Proof.
  intros F F' N C0 C. destruct F' as [s n y B|s n k l B L|s n y l D|s n y l D|s n y l D]; auto.
  - (* a join *)
    destruct C as [M C]. rewrite marks_app in M.
    destruct l as [|y l]; [congruence|].
    assert (Z : marks s n c = 0 /\ marks s n p = 0).
    { destruct F as [s2 m x A|s2 m k2 l2 A L2|s2 m x l2 D|s2 m x l2 D|s2 m x l2 D].
      - split; apply no_marks; intros i [<-|[]]; discriminate.
      - split; apply no_marks; intros i I.
        + apply at_node_in in I. destruct I as (x & -> & _). discriminate.
        + destruct (enough m l2); [destruct I as [<-|[<-|[]]]|destruct I as [<-|[]]]; try discriminate.
          intros _ E E2. unfold scope_of, node_of in E, E2; simpl in E, E2; subst s2 m. destruct l2 as [|x l2]; [congruence|].
          destruct (C (Token, (s, n), x)) as [C1 _]; auto; [left; auto|]. now apply C1.
      - split; apply no_marks; intros i I; [destruct I as [<-|[]]; discriminate|].
        destruct I as [<-|I]; [discriminate|]. apply tokens_in in I. destruct I as (? & ? & -> & _). discriminate.
      - split; apply no_marks; intros i I; [destruct I as [<-|[]]; discriminate|].
        destruct I as [<-|I]; [discriminate|]. apply tokens_in in I. destruct I as (? & ? & -> & _). discriminate.
      - split; apply no_marks; intros i I; [|destruct I as [<-|[]]; discriminate].
        destruct I as [<-|I]; [discriminate|]. intros _ E _. destruct (D i I) as [E' _].
        apply (C0 (Token, (s, n), y)); [left; auto|]. unfold scope_of at 1; simpl. congruence. }
    destruct Z as [Z1 Z2]. split; [rewrite marks_app; lia|].
    intros i I. apply in_app_or in I. destruct I as [I|I]; [|apply C; apply in_or_app; auto]. intros E A.
    destruct F as [s2 m x A'|s2 m k2 l2 A' L2|s2 m x l2 D|s2 m x l2 D|s2 m x l2 D].
    + destruct I as [<-|[]]. unfold scope_of in E; simpl in E; subst s2.
      destruct (C (Token, (s, m), x)) as [_ C1]; auto; [left; auto|]. unfold node_of, kind_of in *; simpl in *.
      split; [discriminate|]. intro Rn. destruct (C1 Rn) as (_ & A2 & _). congruence.
    + assert (s2 = s) by (destruct (enough m l2); [destruct I as [<-|[<-|[]]]|destruct I as [<-|[]]]; exact E). subst s2.
      destruct l2 as [|x l2]; [congruence|].
      assert (Nr : ~ reach m n).
      { intro Rn. destruct (C (Token, (s, m), x)) as [_ C1]; auto; [left; auto|]. unfold node_of in C1; simpl in C1.
        destruct (C1 Rn) as (_ & _ & Rm & Lt). destruct C0 as [_ C0].
        destruct (C0 (Token, (s, n), y)) as [_ C2]; auto; [left; auto|]. unfold node_of in C2; simpl in C2.
        destruct (C2 Rm) as (_ & _ & _ & Lt'). lia. }
      destruct (enough m (x :: l2)); [destruct I as [<-|[<-|[]]]|destruct I as [<-|[]]]; try discriminate.
      unfold node_of; simpl. split; [discriminate|tauto].
    + destruct I as [<-|I]; [discriminate|]. apply tokens_in in I. destruct I as (t & z & -> & I).
      unfold scope_of in E; simpl in E; subst s2. pose proof (reach_sends _ _ _ _ _ D I) as Rt.
      destruct (C (Firing, (s, m), x)) as [_ C1]; auto; [left; auto|]. unfold node_of in *; simpl in *.
      assert (Nr : ~ reach m n) by (intro Rn; destruct (C1 Rn); discriminate).
      split; [intros _ ->; auto|intro Rn; exfalso; eauto].
    + destruct I as [<-|I].
      * unfold scope_of in E; simpl in E; subst s2.
        destruct (C (Firing, (s, m), x)) as [_ C1]; auto; [left; auto|]. unfold node_of in *; simpl in *.
        split; [discriminate|]. intro Rn. destruct (C1 Rn); discriminate.
      * apply tokens_in in I. destruct I as (t & z & -> & I). unfold scope_of in E; simpl in E.
        exfalso. destruct (C0 (Token, (s, n), y)) as [C1 _]; [left; auto|]. apply C1; auto.
    + destruct I as [<-|[]]. unfold scope_of in E; simpl in E; subst s2.
      destruct (C (Waiting, (s, m), x)) as [_ C1]; auto; [left; auto|]. unfold node_of in *; simpl in *.
      split; [discriminate|]. intro Rn. destruct (C1 Rn); discriminate.
  - (* a scope is opened *)
    intros i I. apply in_app_or in I. destruct I as [I|I]; [|apply C; apply in_or_app; auto].
    assert (In_c : forall j, In j c -> alive j = true -> scope_of j <> inner s n y).
    { intros j J A. destruct (C j) as [C1 _]; [apply in_or_app; auto|auto]. }
    destruct F as [s2 m x A'|s2 m k2 l2 A' L2|s2 m x l2 D2|s2 m x l2 D2|s2 m x l2 D2].
    + destruct I as [<-|[]]. split; [intros _; apply (In_c (Token, (s2, m), x)); auto; left; auto|discriminate].
    + destruct l2 as [|x l2]; [congruence|].
      assert (s2 <> inner s n y) by (apply (In_c (Token, (s2, m), x)); auto; left; auto).
      destruct (enough m (x :: l2)); [destruct I as [<-|[<-|[]]]|destruct I as [<-|[]]]; split; auto; discriminate.
    + assert (s2 <> inner s n y) by (apply (In_c (Firing, (s2, m), x)); auto; left; auto).
      destruct I as [<-|I]; [split; [auto|discriminate]|]. apply tokens_in in I. destruct I as (? & ? & -> & _). split; [auto|discriminate].
    + assert (s2 <> inner s n y) by (apply (In_c (Firing, (s2, m), x)); auto; left; auto).
      assert (Ne : (Firing, (s2, m), x) <> (Firing, (s, n), y)).
      { intro E. apply (N (Firing, (s2, m), x)); [left; auto|left; auto]. }
      destruct I as [<-|I]; [split; [auto|congruence]|]. apply tokens_in in I. destruct I as (? & ? & -> & _).
      split; [|discriminate]. intros _. unfold scope_of, inner; simpl. congruence.
    + destruct I as [<-|[]]. split; [|discriminate]. intros _. apply (In_c (Waiting, (s2, m), x)); auto; left; auto.
  - (* a scope comes back *)
    intros i I. apply in_app_or in I. destruct I as [I|I]; [|apply C; apply in_or_app; auto].
    assert (In_c : forall j, In j c -> scope_of j <> inner s n y) by (intros j J; apply C; apply in_or_app; auto).
    destruct F as [s2 m x A'|s2 m k2 l2 A' L2|s2 m x l2 D2|s2 m x l2 D2|s2 m x l2 D2].
    + destruct I as [<-|[]]. apply (In_c (Token, (s2, m), x)); left; auto.
    + destruct l2 as [|x l2]; [congruence|].
      assert (s2 <> inner s n y) by (apply (In_c (Token, (s2, m), x)); left; auto).
      destruct (enough m (x :: l2)); [destruct I as [<-|[<-|[]]]|destruct I as [<-|[]]]; auto.
    + assert (s2 <> inner s n y) by (apply (In_c (Firing, (s2, m), x)); left; auto).
      destruct I as [<-|I]; auto. apply tokens_in in I. destruct I as (? & ? & -> & _). auto.
    + assert (s2 <> inner s n y) by (apply (In_c (Firing, (s2, m), x)); left; auto).
      destruct I as [<-|I]; auto. apply tokens_in in I. destruct I as (? & ? & -> & _). unfold scope_of, inner; simpl.
      intro E. inversion E; subst. destruct (C0 (Waiting, (s, n), y)) as [_ C1]; [left; auto|]. now apply C1.
    + destruct I as [<-|[]]. apply (In_c (Waiting, (s2, m), x)); left; auto.
Qed.

Lemma apart_split (c1 : list item) : forall c2 r1 r2, Permutation (c1 ++ r1) (c2 ++ r2) -> (forall i, In i c1 -> ~ In i c2) ->
  exists r, Permutation r1 (c2 ++ r) /\ Permutation r2 (c1 ++ r).
Proof.
  induction c1 as [|a c1 IH]; simpl; intros c2 r1 r2 H N; [exists r2; auto|].
  assert (I : In a (c2 ++ r2)) by (eapply Permutation_in; eauto; left; auto).
  apply in_app_or in I. destruct I as [I|I]; [exfalso; eapply N; eauto|].
  apply in_split in I. destruct I as (l1 & l2 & ->).
  assert (H' : Permutation (c1 ++ r1) (c2 ++ l1 ++ l2)).
  { apply Permutation_cons_inv with (a := a). eapply perm_trans; [exact H|].
    rewrite app_assoc. eapply perm_trans; [apply Permutation_sym, Permutation_middle|]. now rewrite <- app_assoc. }
  destruct (IH _ _ _ H') as (r & H1 & H2); [intros; apply N; auto|]. exists r. split; auto.
  eapply perm_trans; [apply Permutation_sym, Permutation_middle|]. now constructor.
Qed.

Lemma at_node_perm s n l l' : Permutation (at_node s n l) (at_node s n l') -> Permutation l l'.
Proof.
  intro H. apply (Permutation_map snd) in H. unfold at_node in H. rewrite !map_map in H. simpl in H. now rewrite !map_id in H.
Qed.

(** Steps that take something in common are the same. *)
Lemma fire_same c1 p1 cond1 c2 p2 cond2 r1 r2 i : fire c1 p1 cond1 -> fire c2 p2 cond2 -> In i c1 -> In i c2 ->
  Permutation (c1 ++ r1) (c2 ++ r2) -> cond1 r1 -> cond2 r2 -> p1 = p2 /\ Permutation r1 r2.
Proof.
  intros F1 F2 I1 I2 H C1 C2.
  destruct F1 as [s n x A|s n k l A L|s n x l D|s n x l D|s n x l D], F2 as [s' m y B|s' m k' l' B L'|s' m y l' D'|s' m y l' D'|s' m y l' D'].
  all: try (destruct I1 as [<-|[]]); try (destruct I2 as [E|[]]).
  all: try (apply at_node_in in I1; destruct I1 as (x & -> & I1)).
  all: try (apply at_node_in in I2; destruct I2 as (y & E & I2)).
  all: try discriminate.
  all: try (destruct I2 as [E|I2]; [discriminate|destruct (D' _ I2) as [_ E]; discriminate]).
  all: try (destruct I1 as [E1|I1]; [subst; discriminate|subst; destruct (D _ I1) as [_ E1]; discriminate]).
  all: try (inversion E; clear E; try subst s'; try subst m; try subst y); try congruence.
  - split; auto. eapply Permutation_cons_inv; eauto.
  - destruct C1 as [M1 C1], C2 as [M2 C2].
    assert (None : forall r, (forall i, In i r -> scope_of i = s -> alive i = true -> (kind_of i = Token -> node_of i <> n) /\
       (reach (node_of i) n -> kind_of i = Token /\ is_all (node_of i) = true /\ reach n (node_of i) /\ n < node_of i)) ->
       forall i, In i r -> at_ Token s n i = false).
    { intros r C i I. unfold at_. destruct (kind_of i) eqn:K; auto. destruct (scope_dec (scope_of i) s) as [E|]; auto.
      apply Nat.eqb_neq. apply (C i I E); auto. unfold alive; now rewrite K. }
    assert (Yes : forall l i, In i (at_node s n l) -> at_ Token s n i = true).
    { intros l0 i I. apply at_node_in in I. destruct I as (z & -> & _). unfold at_, scope_of, node_of; simpl.
      destruct (scope_dec s s); [apply Nat.eqb_refl|congruence]. }
    destruct (split_by _ _ _ _ _ H (Yes l) (Yes l') (None _ C1) (None _ C2)) as [Hc Hr]. apply at_node_perm in Hc.
    assert (Ek : k = k') by (rewrite <- M1, <- M2; now apply marks_perm).
    split; auto. now rewrite <- Ek, (enough_perm _ _ _ Hc), (all_perm _ _ _ _ Hc), (skipped_perm _ _ _ Hc).
  - assert (l = l') by congruence. subst. split; auto. eapply Permutation_cons_inv; eauto.
  - assert (l = l') by congruence. subst. split; auto. eapply Permutation_cons_inv; eauto.
  - assert (E : s = s' /\ n = m /\ x = y).
    { destruct I1 as [<-|I1], I2 as [E|I2].
      - inversion E; auto.
      - destruct (D' _ I2) as [_ E]; discriminate.
      - subst i. destruct (D _ I1) as [_ E]; discriminate.
      - destruct (D _ I1) as [E1 _], (D' _ I2) as [E2 _]. rewrite E1 in E2. inversion E2; auto. }
    destruct E as (<- & <- & <-). simpl in H. apply Permutation_cons_inv in H.
    set (mine := fun i => if scope_dec (scope_of i) (inner s n x) then true else false).
    assert (Y : forall q, (forall i, In i q -> scope_of i = inner s n x /\ alive i = false) -> forall i, In i q -> mine i = true).
    { intros q Q j J. unfold mine. destruct (scope_dec (scope_of j) (inner s n x)); auto. destruct (Q j J); congruence. }
    assert (Z : forall q, (forall i, In i q -> scope_of i <> inner s n x) -> forall i, In i q -> mine i = false).
    { intros q Q j J. unfold mine. destruct (scope_dec (scope_of j) (inner s n x)); auto. exfalso; eapply Q; eauto. }
    destruct (split_by mine _ _ _ _ H (Y _ D) (Y _ D') (Z _ C1) (Z _ C2)) as [Hc Hr].
    split; auto. now rewrite (back_perm _ _ _ _ Hc).
Qed.

(** W5, W6, W13: two steps that are possible at once commute; what a join, or the end of a scope, waits for does not depend
    on who was faster. *)
Theorem steps_commute a b b' : step a b -> step a b' -> Permutation b b' \/ exists u, step b u /\ step b' u.
Proof.
  intros (c1 & p1 & k1 & r1 & F1 & H1 & C1 & E1) (c2 & p2 & k2 & r2 & F2 & H2 & C2 & E2).
  assert (H : Permutation (c1 ++ r1) (c2 ++ r2)) by (eapply perm_trans; [apply Permutation_sym|]; eauto).
  assert (D : (exists i, In i c1 /\ In i c2) \/ forall i, In i c1 -> ~ In i c2).
  { clear - X_dec. induction c1 as [|i c1 [(j & I & J)|IH]]; [right; intros ? []|left; exists j; simpl; auto|].
    destruct (in_dec item_dec i c2); [left; exists i; simpl; auto|right; intros j [<-|I]; auto]. }
  destruct D as [(i & I1 & I2)|N].
  - left. destruct (fire_same _ _ _ _ _ _ _ _ i F1 F2 I1 I2 H C1 C2) as [-> K].
    eapply perm_trans; [exact E1|]. eapply perm_trans; [|apply Permutation_sym; exact E2]. now apply Permutation_app_head.
  - assert (N' : forall i, In i c2 -> ~ In i c1) by (intros i I J; eapply N; eauto).
    right. destruct (apart_split _ _ _ _ H N) as (r & R1 & R2). exists (p1 ++ p2 ++ r). split.
    + exists c2, p2, k2, (p1 ++ r). split; auto. split; [|split].
      * eapply perm_trans; [exact E1|]. eapply perm_trans; [apply Permutation_app_head; exact R1|]. apply Permutation_app_swap_app.
      * eapply (fire_keeps c1 p1 k1 c2 p2 k2); eauto; eapply fire_cond; eauto.
      * apply Permutation_app_swap_app.
    + exists c1, p1, k1, (p2 ++ r). split; auto. split; [|split; auto].
      * eapply perm_trans; [exact E2|]. eapply perm_trans; [apply Permutation_app_head; exact R2|]. apply Permutation_app_swap_app.
      * eapply (fire_keeps c2 p2 k2 c1 p1 k1); eauto; eapply fire_cond; eauto.
Qed.

(* ------------------------------------------------------------------ every schedule *)
Inductive steps : nat -> list item -> list item -> Prop :=
| st_0 a b : Permutation a b -> steps 0 a b
| st_S n a b c : step a b -> steps n b c -> steps (S n) a c.
Definition final a := forall b, ~ step a b.
Lemma step_perm a a' b : Permutation a a' -> step a b -> step a' b.
Proof. intros P (c & p & k & r & F & H & C & E). exists c, p, k, r. repeat split; auto. eapply perm_trans; [apply Permutation_sym|]; eauto. Qed.
Lemma steps_perm n a b : steps n a b -> forall a', Permutation a a' -> steps n a' b.
Proof.
  destruct 1; intros a' P; [constructor; eapply perm_trans; [apply Permutation_sym|]; eauto|].
  econstructor; eauto. eapply step_perm; eauto.
Qed.
Lemma descent n a u : steps n a u -> final u -> forall b, step a b -> exists m, n = S m /\ steps m b u.
Proof.
  induction 1 as [a b P|n a c u Hac Hcu IH]; intros F b' Hb.
  - exfalso. eapply F. eapply step_perm; eauto.
  - destruct (steps_commute _ _ _ Hac Hb) as [P|(d & Hcd & Hbd)]; [exists n; split; auto; eapply steps_perm; eauto|].
    destruct (IH F _ Hcd) as (m & -> & Hd). exists (S m); split; auto. econstructor; eauto.
Qed.
(** W2, W3, W4, W5, W6, W7, W13, W16: if one schedule of a workflow comes to an end, each does, after the same number of steps. *)
Theorem every_schedule n a u : steps n a u -> final u -> forall m b, steps m a b -> m <= n /\ steps (n - m) b u.
Proof.
  intros Hn F m b Hm; revert n Hn; induction Hm as [a b P|m a c b Hac Hcb IH]; intros n Hn.
  - replace (n - 0) with n by lia; split; [lia|eapply steps_perm; eauto].
  - destruct (descent _ _ _ Hn F _ Hac) as (k & -> & Hk). destruct (IH _ Hk). split; [lia|auto].
Qed.
(** W2, W7, W10, W13, W16: and with the same that is over: the same firings, of the same tokens, under the same names; the
    same joins skipped. Limits, groups and priorities choose among schedules, so they change nothing of it. *)
Theorem same_firings n a u : steps n a u -> final u -> forall m v, steps m a v -> final v -> m = n /\ Permutation u v.
Proof.
  intros Hn F m v Hm Fv. destruct (every_schedule _ _ _ Hn F _ _ Hm) as [L W].
  inversion W; subst; [split; [lia|now apply Permutation_sym]|]. exfalso; eapply Fv; eauto.
Qed.

(* ------------------------------------------------------------------ the numbers of joins *)
(** The firings of the join n of a scope, by their marks; and that they are numbered, each number once. *)
Definition firings s n (a : list item) : list X := map snd (filter (at_ Mark s n) a).
Definition numbered (a : list item) := forall s n, exists ls,
  Permutation (firings s n a) (map (fun x => all n (fst x) (snd x)) (combine (seq 0 (length ls)) ls)).

Lemma firings_perm s n a b : Permutation a b -> Permutation (firings s n a) (firings s n b).
Proof. intro H. apply Permutation_map. now apply perm_filter. Qed.
Lemma firings_app s n a b : firings s n (a ++ b) = firings s n a ++ firings s n b.
Proof. unfold firings. now rewrite filter_app, map_app. Qed.
Lemma no_firings s n a : (forall i, In i a -> kind_of i = Mark -> scope_of i <> s) -> firings s n a = [].
Proof.
  intro H. unfold firings. rewrite filter_none; auto. intros i I. unfold at_. destruct (kind_of i) eqn:K; auto.
  destruct (scope_dec (scope_of i) s); auto. exfalso. eapply H; eauto.
Qed.
Lemma seq_more l x : combine (seq 0 (length (l ++ [x]))) (l ++ [x]) = combine (seq 0 (length l)) l ++ [(length l, x : list X)].
Proof.
  rewrite app_length. simpl. rewrite seq_app. simpl.
  assert (K : forall k, combine (seq k (length l) ++ [k + length l]) (l ++ [x]) = combine (seq k (length l)) l ++ [(k + length l, x)]).
  { induction l as [|y l IH]; intro k; simpl; [now rewrite Nat.add_0_r|]. f_equal. replace (k + S (length l)) with (S k + length l) by lia. apply IH. }
  apply (K 0).
Qed.

Lemma step_numbered a b : step a b -> numbered a -> numbered b.
Proof.
  intros (c & p & cond & r & F & H & C & H') Nu s n. destruct (Nu s n) as (ls & Pl).
  assert (Pr : Permutation (firings s n c ++ firings s n r) (map (fun x => all n (fst x) (snd x)) (combine (seq 0 (length ls)) ls))).
  { rewrite <- firings_app. eapply perm_trans; [apply Permutation_sym, firings_perm; exact H|exact Pl]. }
  assert (Out : forall l, Permutation (firings s n p ++ firings s n r) l -> Permutation (firings s n b) l).
  { intros l Q. rewrite <- firings_app in Q. eapply perm_trans; [apply firings_perm; exact H'|exact Q]. }
  assert (Same : firings s n c = [] -> firings s n p = [] -> exists ls, Permutation (firings s n b) (map (fun x => all n (fst x) (snd x)) (combine (seq 0 (length ls)) ls))).
  { intros Ec Ep. exists ls. apply Out. rewrite Ep. rewrite Ec in Pr. exact Pr. }
  destruct F as [s0 m x A|s0 m k l A L|s0 m x l D|s0 m x l D|s0 m x l D].
  - apply Same; apply no_firings; intros i [<-|[]]; discriminate.
  - assert (Ec : firings s n (at_node s0 m l) = []).
    { apply no_firings. intros i I. apply at_node_in in I. destruct I as (x & -> & _). discriminate. }
    destruct (enough m l); [|apply Same; auto; apply no_firings; intros i [<-|[]]; discriminate].
    unfold firings in Same |- *. destruct (scope_dec s0 s) as [->|Ns]; [destruct (Nat.eq_dec m n) as [->|Nn]|].
    + exists (ls ++ [l]). rewrite seq_more, map_app. simpl. apply Out. rewrite Ec in Pr. simpl in Pr. destruct C as [M _].
      assert (Len : k = length ls).
      { rewrite <- M. apply Permutation_length in Pr. unfold firings in Pr. rewrite !map_length, combine_length, seq_length in Pr.
        rewrite Nat.min_id in Pr. exact Pr. }
      replace (firings s n [(Firing, (s, n), all n k l); (Mark, (s, n), all n k l)]) with [all n k l].
      * rewrite Len. simpl. eapply perm_trans; [|apply Permutation_cons_append]. now constructor.
      * unfold firings, at_, scope_of, node_of. simpl. destruct (scope_dec s s); [|congruence]. now rewrite Nat.eqb_refl.
    + apply Same; auto. unfold at_, scope_of, node_of. simpl. destruct (scope_dec s s); auto. apply Nat.eqb_neq in Nn. now rewrite Nn.
    + apply Same; auto. unfold at_, scope_of, node_of. simpl. destruct (scope_dec s0 s); [congruence|auto].
  - apply Same; apply no_firings; [intros i [<-|[]]; discriminate|]. intros i [<-|I]; [discriminate|].
    apply tokens_in in I. destruct I as (? & ? & -> & _). discriminate.
  - apply Same; apply no_firings; [intros i [<-|[]]; discriminate|]. intros i [<-|I]; [discriminate|].
    apply tokens_in in I. destruct I as (? & ? & -> & _). discriminate.
  - destruct (scope_dec (inner s0 m x) s) as [<-|Ns].
    + exists []. apply Out. rewrite (no_firings _ _ [_]) by (intros i [<-|[]]; discriminate). simpl.
      rewrite no_firings; [constructor|]. intros i I _. now apply C.
    + apply Same; apply no_firings; intros i [<-|I]; try discriminate; [|destruct I].
      destruct (D i I) as [E _]. intros _. congruence.
Qed.

(** W10: in each scope the firings of a join are numbered, each number once; with Order.unique, no two firings have the same key. *)
Theorem joins_are_numbered k a b : (forall i, In i a -> kind_of i <> Mark) -> steps k a b -> numbered b.
Proof.
  intros N H. assert (Na : numbered a).
  { intros s n. exists []. rewrite no_firings; [constructor|]. intros i I E. exfalso. eapply N; eauto. }
  clear N. induction H as [a b P|k a b c S _ IH]; [|apply IH; eapply step_numbered; eauto].
  intros s n. destruct (Na s n) as (ls & Pl). exists ls. eapply perm_trans; [apply firings_perm; apply Permutation_sym; exact P|exact Pl].
Qed.

(* ------------------------------------------------------------------ it never hangs *)
Lemma parted (f : item -> bool) (l : list item) : Permutation l (filter f l ++ filter (fun i => negb (f i)) l).
Proof.
  induction l as [|a l IH]; simpl; auto. destruct (f a); simpl; [now constructor|].
  eapply perm_trans; [constructor; exact IH|apply Permutation_middle].
Qed.
Lemma deepest (a : list item) : (exists i, In i a /\ alive i = true) ->
  exists i, In i a /\ alive i = true /\ forall j, In j a -> alive j = true -> length (scope_of j) <= length (scope_of i).
Proof.
  induction a as [|b a IH]; intros (i & I & A); [destruct I|].
  destruct (existsb alive a) eqn:Ex.
  - apply existsb_exists in Ex. destruct (IH Ex) as (j & J & Aj & Mj).
    destruct (alive b) eqn:Ab; [destruct (le_lt_dec (length (scope_of b)) (length (scope_of j)))|].
    + exists j. split; [right; auto|]. split; auto. intros k [<-|K]; auto.
    + exists b. split; [left; auto|]. split; auto. intros k [<-|K] Ak; auto. specialize (Mj _ K Ak). lia.
    + exists j. split; [right; auto|]. split; auto. intros k [<-|K] Ak; [congruence|auto].
  - assert (No : forall k, In k a -> alive k = false).
    { intros k K. destruct (alive k) eqn:Ak; auto. exfalso. assert (existsb alive a = true) by (apply existsb_exists; eauto). congruence. }
    destruct I as [<-|I]; [|rewrite No in A by auto; discriminate].
    exists b. split; [left; auto|]. split; auto. intros k [<-|K] Ak; auto. rewrite No in Ak by auto; discriminate.
Qed.
Lemma taken_out (i : item) a : In i a -> exists r, Permutation a (i :: r) /\ forall j, In j r -> In j a.
Proof.
  intro I. apply in_split in I. destruct I as (l1 & l2 & ->). exists (l1 ++ l2). split; [apply Permutation_sym, Permutation_middle|].
  intros j J. apply in_app_or in J. apply in_or_app. simpl. tauto.
Qed.

(** Nothing is alive in a scope that was opened in this one. *)
Definition innermost a s := forall n x i, In i a -> alive i = true -> scope_of i <> inner s n x.
(** A step that can be made, and takes no firing. *)
Definition waits_for_nobody a := exists c p cond r, fire c p cond /\ Permutation a (c ++ r) /\ cond r /\ forall i, In i c -> kind_of i <> Firing.

Lemma comes_back a s n x : innermost a s -> In (Waiting, (s, n), x) a -> waits_for_nobody a.
Proof.
  intros Below I. destruct (taken_out _ _ I) as (r & H & Sub).
  set (f := fun i => if scope_dec (scope_of i) (inner s n x) then true else false).
  assert (In_f : forall i, In i (filter f r) -> scope_of i = inner s n x /\ alive i = false).
  { intros i J. apply filter_In in J. destruct J as [J Fi]. unfold f in Fi. destruct (scope_dec (scope_of i) (inner s n x)) as [E|]; [|discriminate].
    split; auto. destruct (alive i) eqn:A; auto. exfalso. exact (Below n x i (Sub i J) A E). }
  exists ((Waiting, (s, n), x) :: filter f r). eexists. eexists. exists (filter (fun i => negb (f i)) r).
  split; [now apply f_back|]. split; [|split].
  - eapply perm_trans; [exact H|]. simpl. constructor. apply parted.
  - intros i J. apply filter_In in J. destruct J as [_ Fi]. unfold f in Fi. destruct (scope_dec (scope_of i) (inner s n x)); [discriminate|auto].
  - intros i [<-|J]; [discriminate|]. destruct (In_f i J) as [_ A]. unfold alive in A. destruct (kind_of i); congruence.
Qed.
Lemma goes_on a s n x r : innermost a s -> (forall i, In i a -> scope_of i = s -> kind_of i <> Waiting) ->
  Permutation a ((Firing, (s, n), x) :: r) -> exists p cond, fire [(Firing, (s, n), x)] p cond /\ cond r.
Proof.
  intros Below NW H. assert (Sub : forall i, In i r -> In i a).
  { intros i J. eapply Permutation_in; [apply Permutation_sym; exact H|right; auto]. }
  destruct (does n x) as [l|l] eqn:D; eexists; eexists; [split; [apply f_end; eauto|exact I]|split; [apply f_open; eauto|]].
  intros i J. split; [exact (Below n x i (Sub i J))|]. intros ->. exact (NW _ (Sub _ J) eq_refl eq_refl).
Qed.
Lemma tokens_fire a s : (exists i, In i a /\ scope_of i = s /\ alive i = true) ->
  (forall i, In i a -> scope_of i = s -> alive i = true -> kind_of i = Token) -> waits_for_nobody a.
Proof.
  intros (i0 & I0 & E0 & A0) Tok.
  assert (NF : forall n l i, In i (at_node s n l) -> kind_of i <> Firing).
  { intros n l i I. apply at_node_in in I. destruct I as (x & -> & _). discriminate. }
  set (mine := fun i => if scope_dec (scope_of i) s then alive i else false).
  set (L := map node_of (filter mine a)).
  assert (InL : forall i, In i a -> scope_of i = s -> alive i = true -> In (node_of i) L).
  { intros i I E A. apply in_map. apply filter_In. split; auto. unfold mine. destruct (scope_dec (scope_of i) s); [auto|congruence]. }
  assert (OutL : forall n, In n L -> exists x, In (Token, (s, n), x) a).
  { intros n I. apply in_map_iff in I. destruct I as ([[k [s' n']] x] & En & I). apply filter_In in I. destruct I as [I M].
    unfold mine in M. destruct (scope_dec (scope_of (k, (s', n'), x)) s) as [E|]; [|discriminate].
    pose proof (Tok _ I E M) as T. unfold scope_of, kind_of, node_of in *; simpl in *; subst. eauto. }
  destruct (existsb (fun n => negb (is_all n)) L) eqn:Ex.
  { apply existsb_exists in Ex. destruct Ex as (n & I & Na). apply negb_true_iff in Na. destruct (OutL _ I) as (x & J).
    destruct (taken_out _ _ J) as (r & H & _).
    exists [(Token, (s, n), x)]. eexists. eexists. exists r. split; [now apply f_one|]. split; [exact H|]. split; [constructor|].
    intros i [<-|[]]. discriminate. }
  assert (AllL : forall n, In n L -> is_all n = true).
  { intros n I. destruct (is_all n) eqn:A; auto. exfalso.
    assert (existsb (fun n => negb (is_all n)) L = true) by (apply existsb_exists; exists n; split; auto; now rewrite A). congruence. }
  assert (NL : L <> []) by (pose proof (InL i0 I0 E0 A0) as K; destruct L; [destruct K|discriminate]).
  destruct (source_part reach reach_trans reach_dec _ NL) as (n & In_n & Hn).
  destruct (least L (fun m => m = n \/ (reach m n /\ reach n m))) as (k & Ik & Ck & Mk).
  { intro m. destruct (Nat.eq_dec m n); [left; auto|]. destruct (reach_dec m n), (reach_dec n m); try (right; intros [E|[E1 E2]]; tauto). left; auto. }
  { exists n; auto. }
  assert (Form : filter (at_ Token s k) a = at_node s k (map snd (filter (at_ Token s k) a))).
  { unfold at_node. rewrite map_map. rewrite <- (map_id (filter (at_ Token s k) a)) at 1. apply map_ext_in. intros [[kd [s' m]] x] J.
    apply filter_In in J. destruct J as [_ J]. unfold at_, kind_of, scope_of, node_of in J; simpl in J. destruct kd; try discriminate.
    destruct (scope_dec s' s) as [->|]; [|discriminate]. apply Nat.eqb_eq in J. now subst. }
  set (l := map snd (filter (at_ Token s k) a)) in *.
  exists (at_node s k l). eexists. eexists. exists (filter (fun i => negb (at_ Token s k i)) a).
  split; [eapply f_all; [auto|]|]. 2: split; [rewrite <- Form; apply parted|split; [split; [reflexivity|]|exact (NF k l)]].
  - destruct (OutL _ Ik) as (x & J). intro El.
    assert (F : In (Token, (s, k), x) (filter (at_ Token s k) a)).
    { apply filter_In. split; auto. unfold at_, scope_of, node_of; simpl. destruct (scope_dec s s); [apply Nat.eqb_refl|congruence]. }
    rewrite Form, El in F. destruct F.
  - intros j J Ej Aj. apply filter_In in J. destruct J as [J Nj]. apply negb_true_iff in Nj.
    pose proof (Tok _ J Ej Aj) as Tj. assert (Nk : node_of j <> k).
    { intros E. unfold at_ in Nj. rewrite Tj in Nj. destruct (scope_dec (scope_of j) s); [|congruence]. apply Nat.eqb_neq in Nj. auto. }
    split; auto. intro Rk. pose proof (InL _ J Ej Aj) as IL.
    assert (Rn : reach (node_of j) n /\ (k = n \/ reach k n)).
    { destruct Ck as [->|[K1 K2]]; [auto|]. split; [eapply reach_trans; eauto|auto]. }
    destruct Rn as [Rn Kn]. pose proof (Hn _ IL Rn) as Rb.
    split; auto. split; auto. split; [destruct Kn as [->|Kn]; [auto|eapply reach_trans; eauto]|].
    assert (k <= node_of j) by (apply Mk; auto). lia.
Qed.

(** Of whom there is one in the innermost scope: somebody who waits for a scope, a firing under way, or tokens alone. *)
Lemma somebody a : (exists i, In i a /\ alive i = true) -> exists s, innermost a s /\
  ((exists n x, In (Waiting, (s, n), x) a) \/
   ((forall i, In i a -> scope_of i = s -> kind_of i <> Waiting) /\ exists n x, In (Firing, (s, n), x) a) \/
   ((exists i, In i a /\ scope_of i = s /\ alive i = true) /\ forall i, In i a -> scope_of i = s -> alive i = true -> kind_of i = Token)).
Proof.
  intro Al. destruct (deepest a Al) as (i0 & I0 & A0 & Deep). exists (scope_of i0). set (s := scope_of i0) in *. split.
  { intros n x j J Aj E. specialize (Deep j J Aj). rewrite E in Deep. unfold inner in Deep; simpl in Deep. lia. }
  assert (Dec : forall k, (exists n x, In (k, (s, n), x) a) \/ forall i, In i a -> scope_of i = s -> kind_of i <> k).
  { intro k. clear - X_dec. induction a as [|b a [(n & x & J)|N]]; [right; intros ? []|left; exists n, x; right; auto|].
    destruct (scope_dec (scope_of b) s) as [E|E].
    - destruct b as [[kb [sb n]] x]. unfold scope_of in E; simpl in E; subst sb.
      destruct kb, k; try (left; exists n, x; left; reflexivity); right; intros i [<-|J] Ei; auto; discriminate.
    - right. intros i [<-|J] Ei; [congruence|auto]. }
  destruct (Dec Waiting) as [W|NW]; [left; auto|]. right. destruct (Dec Firing) as [F|NF]; [left; auto|]. right.
  split; [exists i0; auto|]. intros i I E A. unfold alive in A. destruct (kind_of i) eqn:K; auto; try discriminate; exfalso; [eapply NF|eapply NW]; eauto.
Qed.

(** W5, W6, W7, W13: with a token or a firing anywhere, something ends, fires, is skipped, opens a scope or comes back. *)
Theorem never_hangs a : (exists i, In i a /\ alive i = true) -> exists b, step a b.
Proof.
  intro Al. assert (St : waits_for_nobody a -> exists b, step a b).
  { intros (c & p & cond & r & F & H & C & _). exists (p ++ r), c, p, cond, r. auto. }
  destruct (somebody a Al) as (s & Below & [(n & x & I)|[(NW & n & x & I)|[Ex Tok]]]).
  - apply St. eapply comes_back; eauto.
  - destruct (taken_out _ _ I) as (r & H & _). destruct (goes_on a s n x r Below NW H) as (p & cond & F & C).
    exists (p ++ r), [(Firing, (s, n), x)], p, cond, r. auto.
  - apply St. eapply tokens_fire; eauto.
Qed.
End Run.
