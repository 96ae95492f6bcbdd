(** W2-W7, W16: which firings there are, and with which tokens, does not depend on the schedule; loops, joins that wait for
    one another (W6) and skipping (W7) included. Without `first` (W8), failures that cancel (W12), scopes (W13).
    What fires is named by its lineage, so bags are compared up to order only. *)
From Coq Require Import List Arith Lia Bool Permutation.
Import ListNotations.
Section Run.
Variables (X : Type) (X_dec : forall a b : X, {a = b} + {a <> b}).     (* lineages *)
Variable is_all : nat -> bool.                                         (* joins that wait for all that can still come *)
Variable outs : nat -> X -> list (nat * X).                            (* what a firing sends: a function of its past (W9) *)
Variables (one : nat -> X -> X) (canon : nat -> list X -> X).
Hypothesis canon_perm : forall n l l', Permutation l l' -> canon n l = canon n l'.   (* tokens in canonical order *)
Variable enough : nat -> list X -> bool.                               (* W7: `min` is reached *)
Hypothesis enough_perm : forall n l l', Permutation l l' -> enough n l = enough n l'.
Variable reach : nat -> nat -> Prop.                                   (* wires lead there *)
Hypothesis reach_outs : forall n x t y, In (t, y) (outs n x) -> reach n t.
Hypothesis reach_trans : forall a b c, reach a b -> reach b c -> reach a c.

Inductive kind := Token | Firing.
Definition item := (kind * nat * X)%type.
Definition place (i : item) := snd (fst i).
Definition item_dec (a b : item) : {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.

(** Consumes, produces, and what must hold of all else that is alive (W5). *)
Inductive fire : list item -> list item -> (list item -> Prop) -> Prop :=
| f_end n x : fire [(Firing, n, x)] (map (fun o => (Token, fst o, snd o)) (outs n x)) (fun _ => True)
| f_one n x : is_all n = false -> fire [(Token, n, x)] [(Firing, n, one n x)] (fun _ => True)
| f_all n l : is_all n = true -> l <> [] ->
    fire (map (fun x => (Token, n, x)) l) (if enough n l then [(Firing, n, canon n l)] else [])
         (fun r => forall i, In i r -> (fst (fst i) = Token -> place i <> n) /\
            (* nothing upstream is alive, but tokens at joins of the same part, later in the document, which wait for this one *)
            (reach (place i) n -> fst (fst i) = Token /\ is_all (place i) = true /\ reach n (place i) /\ n < place i)).
Definition step s s' := exists c p cond r, fire c p cond /\ Permutation s (c ++ r) /\ cond r /\ Permutation s' (p ++ r).

Lemma fire_cond c p cond r r' : fire c p cond -> Permutation r r' -> cond r -> cond r'.
Proof. destruct 1; auto. intros Pm C i I. apply C. eapply Permutation_in; [apply Permutation_sym; exact Pm|exact I]. Qed.

(** What is not upstream stays so: an enabled join stays enabled, with the same tokens. *)
Lemma fire_keeps c p cond c' p' cond' r : fire c p cond -> fire c' p' cond' -> cond (c' ++ r) -> cond' (c ++ r) -> cond' (p ++ r).
Proof.
  intros F F' C0 C. destruct F' as [|n y B|n l B L]; auto. intros i I. apply in_app_or in I. destruct I as [I|I]; [|apply C; apply in_or_app; auto].
  destruct F as [m x|m x A|m k A N].
  - apply in_map_iff in I. destruct I as ((t & y) & <- & I). unfold place; simpl. pose proof (reach_outs _ _ _ _ I) as Rt.
    destruct (C (Firing, m, x)) as [_ C1]; [left; auto|]. unfold place in C1; simpl in C1.
    assert (Nr : ~ reach m n) by (intro Rn; destruct (C1 Rn); discriminate).
    split; [intros _ ->; auto|intro Rn; exfalso; eauto].
  - destruct I as [<-|[]]. destruct (C (Token, m, x)) as [_ C1]; [left; auto|]. unfold place in *; simpl in *.
    split; [discriminate|]. intro Rn. destruct (C1 Rn) as (_ & A' & _). congruence.
  - destruct k as [|x k]; [congruence|]. destruct l as [|y l]; [congruence|].
    assert (Nr : ~ reach m n).
    { intro Rn. destruct (C (Token, m, x)) as [_ C1]; [left; auto|]. unfold place in C1; simpl in C1.
      destruct (C1 Rn) as (_ & _ & Rm & Lt).
      destruct (C0 (Token, n, y)) as [_ C2]; [left; auto|]. unfold place in C2; simpl in C2.
      destruct (C2 Rm) as (_ & _ & _ & Lt'). lia. }
    destruct (enough m (x :: k)); [|destruct I]. destruct I as [<-|[]]. unfold place; simpl. split; [discriminate|tauto].
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

Lemma all_of n l r l' r' :
  Permutation (map (fun x => (Token, n, x)) l ++ r) (map (fun x => (Token, n, x)) l' ++ r') ->
  (forall i : item, In i r -> fst (fst i) = Token -> place i <> n) -> (forall i : item, In i r' -> fst (fst i) = Token -> place i <> n) ->
  Permutation l l' /\ Permutation r r'.
Proof.
  revert l' r'. induction l as [|x l IH]; simpl; intros l' r' H N N'.
  - destruct l' as [|y l']; simpl in *; auto. exfalso.
    apply (N (Token, n, y)); auto. eapply Permutation_in; [apply Permutation_sym; eauto|left; auto].
  - assert (I : In (Token, n, x) (map (fun x => (Token, n, x)) l' ++ r')) by (eapply Permutation_in; eauto; left; auto).
    apply in_app_or in I. destruct I as [I|I]; [|exfalso; eapply N'; eauto].
    apply in_map_iff in I. destruct I as (y & [= ->] & I). apply in_split in I. destruct I as (l1 & l2 & ->).
    destruct (IH (l1 ++ l2) r') as [H1 H2]; auto.
    { apply Permutation_cons_inv with (a := (Token, n, x)). eapply perm_trans; [exact H|].
      rewrite !map_app; simpl. rewrite <- !app_assoc; simpl. apply Permutation_sym, Permutation_middle. }
    split; auto. eapply perm_trans; [constructor; exact H1|]. apply Permutation_middle.
Qed.

(** W5, W6: two steps that are possible at once commute; what a join waits for does not depend on who was faster. *)
Theorem steps_commute s s1 s2 : step s s1 -> step s s2 -> Permutation s1 s2 \/ exists u, step s1 u /\ step s2 u.
Proof.
  intros (c1 & p1 & k1 & r1 & F1 & H1 & C1 & E1) (c2 & p2 & k2 & r2 & F2 & H2 & C2 & E2).
  assert (H : Permutation (c1 ++ r1) (c2 ++ r2)) by (eapply perm_trans; [apply Permutation_sym|]; eauto).
  assert (D : (exists i, In i c1 /\ In i c2) \/ forall i, In i c1 -> ~ In i c2).
  { clear - X_dec. induction c1 as [|a c1 [(i & I & J)|IH]]; [right; intros ? []|left; exists i; simpl; auto|].
    destruct (in_dec item_dec a c2); [left; exists a; simpl; auto|right; intros i [<-|I]; auto]. }
  destruct D as [(i & I1 & I2)|N].
  - left. assert (K : p1 = p2 /\ Permutation r1 r2).
    { destruct F1 as [n x|n x A|n l A L], F2 as [m y|m y B|m k B M]; simpl in *;
        repeat match goal with J : _ \/ False |- _ => destruct J as [J|[]] | J : In _ (map _ _) |- _ => apply in_map_iff in J; destruct J as (? & J & ?) end;
        subst; try discriminate;
        repeat match goal with J : (_, _, _) = (_, _, _) |- _ => inversion J; clear J; subst end; try congruence.
      + split; auto. eapply Permutation_cons_inv; eauto.
      + split; auto. eapply Permutation_cons_inv; eauto.
      + destruct (all_of _ _ _ _ _ H) as [P1 P2]; [intros; apply C1; auto|intros; apply C2; auto|].
        split; auto. now rewrite (canon_perm _ _ _ P1), (enough_perm _ _ _ P1). }
    destruct K as [-> K]. eapply perm_trans; [exact E1|]. eapply perm_trans; [|apply Permutation_sym; exact E2].
    now apply Permutation_app_head.
  - right. destruct (apart_split _ _ _ _ H N) as (r & R1 & R2). exists (p1 ++ p2 ++ r). split.
    + exists c2, p2, k2, (p1 ++ r). split; auto. split; [|split].
      * eapply perm_trans; [exact E1|]. eapply perm_trans; [apply Permutation_app_head; exact R1|]. apply Permutation_app_swap_app.
      * eapply (fire_keeps c1 p1 k1 c2 p2 k2); eauto; eapply fire_cond; eauto.
      * apply Permutation_app_swap_app.
    + exists c1, p1, k1, (p2 ++ r). split; auto. split; [|split; auto].
      * eapply perm_trans; [exact E2|]. eapply perm_trans; [apply Permutation_app_head; exact R2|]. apply Permutation_app_swap_app.
      * eapply (fire_keeps c2 p2 k2 c1 p1 k1); eauto; eapply fire_cond; eauto.
Qed.

Inductive steps : nat -> list item -> list item -> Prop :=
| st_0 s s' : Permutation s s' -> steps 0 s s'
| st_S n a b c : step a b -> steps n b c -> steps (S n) a c.
Definition final s := forall s', ~ step s s'.
Lemma step_perm a a' b : Permutation a a' -> step a b -> step a' b.
Proof. intros P (c & p & k & r & F & H & C & E). exists c, p, k, r. repeat split; auto. eapply perm_trans; [apply Permutation_sym|]; eauto. Qed.
Lemma steps_perm n a b : steps n a b -> forall a', Permutation a a' -> steps n a' b.
Proof.
  destruct 1; intros a' P; [constructor; eapply perm_trans; [apply Permutation_sym|]; eauto|].
  econstructor; eauto. eapply step_perm; eauto.
Qed.
Lemma descent n a u : steps n a u -> final u -> forall b, step a b -> exists m, n = S m /\ steps m b u.
Proof.
  induction 1 as [s s' P|n a c u Hac Hcu IH]; intros F b Hb.
  - exfalso. eapply F. eapply step_perm; eauto.
  - destruct (steps_commute _ _ _ Hac Hb) as [P|(d & Hcd & Hbd)]; [exists n; split; auto; eapply steps_perm; eauto|].
    destruct (IH F _ Hcd) as (m & -> & Hd). exists (S m); split; auto. econstructor; eauto.
Qed.
(** W2, W5, W6, W7, W16: if one schedule of a workflow comes to an end, each does, after the same firings. *)
Theorem every_schedule n a u : steps n a u -> final u -> forall m b, steps m a b -> m <= n /\ steps (n - m) b u.
Proof.
  intros Hn F m b Hm; revert n Hn; induction Hm as [s s' P|m a c b Hac Hcb IH]; intros n Hn.
  - replace (n - 0) with n by lia; split; [lia|eapply steps_perm; eauto].
  - destruct (descent _ _ _ Hn F _ Hac) as (k & -> & Hk). destruct (IH _ Hk). split; [lia|auto].
Qed.

(* ------------------------------------------------------------------ W7: it never hangs *)
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

Lemma tokens_at k (s : list item) : exists l r, Permutation s (map (fun x => (Token, k, x)) l ++ r) /\
  (forall i, In i r -> In i s /\ (fst (fst i) = Token -> place i <> k)) /\ ((exists x, In (Token, k, x) s) -> l <> []).
Proof.
  induction s as [|[[kd p] x] s (l & r & H & N & E)].
  - exists [], []. split; [constructor|]. split; [intros ? []|intros (x & [])].
  - destruct kd; [destruct (Nat.eq_dec p k) as [->|Ne]|].
    + exists (x :: l), r. split; [simpl; constructor; auto|]. split; [intros i I; destruct (N _ I); split; [right; auto|auto]|discriminate].
    + exists l, ((Token, p, x) :: r). split; [eapply perm_trans; [constructor; exact H|apply Permutation_middle]|].
      split; [intros i [<-|I]; [split; [left; auto|auto]|destruct (N _ I); split; [right; auto|auto]]|].
      intros (y & [[= -> ->]|I]); [congruence|eauto].
    + exists l, ((Firing, p, x) :: r). split; [eapply perm_trans; [constructor; exact H|apply Permutation_middle]|].
      split; [intros i [<-|I]; [split; [left; auto|discriminate]|destruct (N _ I); split; [right; auto|auto]]|].
      intros (y & [[=]|I]); eauto.
Qed.

(** W7: with a token or a firing anywhere, something ends, fires or is skipped. *)
Theorem never_hangs s : s <> [] -> exists s', step s s'.
Proof.
  intros NE.
  assert (D : (exists i, In i s /\ ~ (fst (fst i) = Token /\ is_all (place i) = true)) \/
              forall i, In i s -> fst (fst i) = Token /\ is_all (place i) = true).
  { clear - is_all. induction s as [|[[kd p] x] s [(i & I & H)|H]]; [right; intros ? []|left; exists i; simpl; auto|].
    destruct kd; [destruct (is_all p) eqn:A|].
    - right. intros i [<-|I]; auto.
    - left. exists (Token, p, x). split; [left; auto|]. unfold place; simpl. intros [_ B]; congruence.
    - left. exists (Firing, p, x). split; [left; auto|]. simpl. intros [B _]; discriminate. }
  destruct D as [([[kd p] x] & I & H)|All].
  - apply in_split in I. destruct I as (l1 & l2 & ->). destruct kd.
    + eexists. exists [(Token, p, x)]. eexists. eexists. exists (l1 ++ l2).
      split; [apply f_one; destruct (is_all p) eqn:A; auto; exfalso; apply H; auto|].
      split; [simpl; apply Permutation_sym, Permutation_middle|]. split; [constructor|reflexivity].
    + eexists. exists [(Firing, p, x)]. eexists. eexists. exists (l1 ++ l2). split; [apply f_end|].
      split; [simpl; apply Permutation_sym, Permutation_middle|]. split; [constructor|reflexivity].
  - assert (NL : map place s <> []) by (destruct s; [congruence|discriminate]).
    destruct (source_part _ NL) as (n & In_n & Hn).
    destruct (least (map place s) (fun m => m = n \/ (reach m n /\ reach n m))) as (k & Ik & Ck & Mk).
    { intro m. destruct (Nat.eq_dec m n); [left; auto|]. destruct (reach_dec m n), (reach_dec n m); try (right; intros [E|[E1 E2]]; tauto). left; auto. }
    { exists n; auto. }
    apply in_map_iff in Ik. destruct Ik as ([[kd k'] x] & Ek & Ik). unfold place in Ek; simpl in Ek; subst k'.
    destruct (All _ Ik) as [Kt Ka]. simpl in Kt; subst kd. unfold place in Ka; simpl in Ka.
    destruct (tokens_at k s) as (l & r & H & N & E).
    eexists. exists (map (fun x => (Token, k, x)) l). eexists. eexists. exists r.
    split; [apply f_all; [exact Ka|apply E; eauto]|]. split; [exact H|]. split; [|reflexivity].
    intros i Ir. destruct (N _ Ir) as [Is Ns]. split; auto. intro Rk.
    destruct (All _ Is) as [It Ia]. assert (Ip : In (place i) (map place s)) by (apply in_map; auto).
    assert (Rn : reach (place i) n /\ (k = n \/ reach k n)).
    { destruct Ck as [->|[C1 C2]]; [auto|]. split; [eapply reach_trans; eauto|auto]. }
    destruct Rn as [Rn Kn]. pose proof (Hn _ Ip Rn) as Rb.
    split; auto. split; auto. split; [destruct Kn as [->|Kn]; [auto|eapply reach_trans; eauto]|].
    assert (k <= place i) by (apply Mk; auto). specialize (Ns It). lia.
Qed.
End Run.
