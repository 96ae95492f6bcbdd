(** F3, S2: where no body reads what another one writes, nothing fails or is discarded, and all places that are written are
    outputs, state, or variables with the policy [last], a stream leaves the same behind one after the other as all at
    once. With another policy it need not: fork.md has the examples. *)
From Coq Require Import List Arith Lia Bool Permutation.
From TF Require Import Core.
Import ListNotations.

Section Modes.
Variables (P V Q R : Type) (P_dec : forall a b : P, {a = b} + {a <> b}) (policy_of : P -> policy V) (places : list P).
Variable act : Q -> action P V Q R.
Hypothesis plain : forall p, policy_of p = Stamp \/ policy_of p = Last.
Hypothesis all_places : forall p, In p places.
Notation store := (store P V). Notation write := (write P_dec). Notation ended_fork := (ended_fork P V R).
Notation joins := (joins P_dec policy_of places). Notation told := (told P_dec policy_of places). Notation join1 := (join1 P_dec policy_of places).
Notation big := (big P_dec policy_of places act).

(** S2, all streams sequential: an item runs in the store of its owner. *)
Definition ofs (g : nat) (l : list (nat * R)) := map snd (filter (fun x => Nat.eqb g (fst x)) l).
Definition others' (g : nat) (l : list (nat * R)) := filter (fun x => negb (Nat.eqb g (fst x))) l.
Inductive sbig : Q -> store -> list (nat * R) -> store -> R -> Prop :=
| q_see s st l k st' r : act s = See k -> sbig (k (vals st)) st l st' r -> sbig s st l st' r
| q_write s st l p v k st' r : act s = Write p v k -> sbig k (write st p v) l st' r -> sbig s st l st' r
| q_fork s st l g n q k stq rq st' r : act s = Fork g n q k ->
    sbig q st [] stq rq -> sbig k stq (l ++ [(g, rq)]) st' r -> sbig s st l st' r
| q_join s st l g k st' r : act s = Join g k -> sbig (k true [] (ofs g l)) st (others' g l) st' r -> sbig s st l st' r
| q_halt s st r : act s = Halt r -> sbig s st [] st r.

(** Both at once: what is seen makes no difference to the body, that is: it reads nothing at which the two differ, and asks for no
    conflicts, which are told in one of them only. *)
Inductive both : Q -> store -> list (nat * ended_fork) -> store -> store -> store -> R -> Prop :=
| e_see s a l b k a' b' r : act s = See k -> k (vals a) = k (vals b) -> both (k (vals a)) a l b a' b' r -> both s a l b a' b' r
| e_write s a l b p v k a' b' r : act s = Write p v k -> both k (write a p v) l (write b p v) a' b' r -> both s a l b a' b' r
| e_fork s a l b g n q k aq bq rq a' b' r : act s = Fork g n q k -> both q (tick a) [] b aq bq rq ->
    both k (tick a) (l ++ [(g, (a, aq, rq))]) bq a' b' r -> both s a l b a' b' r
| e_join s a l b g k a' b' r : act s = Join g k -> k true (told a (of g l)) (results (of g l)) = k true [] (results (of g l)) ->
    both (k true (told a (of g l)) (results (of g l))) (fst (joins a (of g l))) (others g l) b a' b' r -> both s a l b a' b' r
| e_halt s a b r : act s = Halt r -> both s a [] b a b r.

Definition base (c : ended_fork) := fst (fst c).
Definition fin (c : ended_fork) := snd (fst c).
Definition born (c : ended_fork) := clock (base c).
Definition wrote p (c : ended_fork) t := same (cells (fin c) p) (cells (base c) p) = false /\ exists x, cells (fin c) p = Some (x, t).

(** (x, v) is the youngest of what the strand has at p and what its forks that were not joined wrote there. *)
Definition top p (e : option (nat * V)) (l : list ended_fork) x v :=
  (e = Some (x, v) \/ exists c, In c l /\ born c = x /\ wrote p c v) /\
  (forall y w, e = Some (y, w) -> y <= x) /\ (forall c w, In c l -> wrote p c w -> born c <= x).
Definition quiet p (l : list ended_fork) := forall c, In c l -> same (cells (fin c) p) (cells (base c) p) = true.
Definition apart p (e : option (nat * V)) (l : list ended_fork) :=
  NoDup (map born l) /\ (forall y w c, e = Some (y, w) -> In c l -> born c <> y) /\
  (forall c, In c l -> same (cells (fin c) p) (cells (base c) p) = false -> exists x w, cells (fin c) p = Some (x, w)).

Lemma merged_plain p c mi : apart p (cells mi p) [c] ->
  merged (policy_of p) (born c) (cells (base c) p) (cells mi p) (cells (fin c) p) =
  Some (if same (cells (fin c) p) (cells (base c) p) then cells mi p else
        match cells (fin c) p with Some (_, t) => by_stamp (born c) (cells mi p) t | None => cells mi p end).
Proof.
  intros (_ & A & _). unfold merged. destruct (same _ _); auto. destruct (cells (fin c) p) as [[x t]|]; auto.
  destruct (plain p) as [->| ->]; auto. destruct (cells (base c) p) as [[bs bv]|]; auto.
  destruct (cells mi p) as [[ms mv]|] eqn:Em; auto. destruct (ms =? bs); auto. simpl.
  assert (born c <> ms) by (eapply A; simpl; eauto).
  destruct (Nat.ltb_spec (born c) ms), (Nat.ltb_spec ms (born c)); auto; lia.
Qed.

Lemma join1_plain c mi : (forall p, apart p (cells mi p) [c]) ->
  exists st, join1 (base c) mi (fin c) = Some st /\ clock st = clock mi /\
    forall p, cells st p = (if same (cells (fin c) p) (cells (base c) p) then cells mi p else
        match cells (fin c) p with Some (_, t) => by_stamp (born c) (cells mi p) t | None => cells mi p end).
Proof.
  intro A. unfold Store.join1, table.
  assert (K : forall l, existsb (@failed P V) (map (fun p => (p, merged (policy_of p) (clock (base c)) (cells (base c) p) (cells mi p) (cells (fin c) p))) l) = false).
  { induction l as [|q l IH]; simpl; auto. rewrite IH. unfold failed; simpl.
    change (clock (base c)) with (born c). rewrite merged_plain; auto. }
  rewrite K. eexists; split; [reflexivity|]. split; auto. intro p. cbn [cells].
  assert (F : forall l, In p l -> Store.find P_dec p (map (fun p => (p, merged (policy_of p) (clock (base c)) (cells (base c) p) (cells mi p) (cells (fin c) p))) l) =
     Some (merged (policy_of p) (born c) (cells (base c) p) (cells mi p) (cells (fin c) p))).
  { induction l as [|q l IH]; simpl; [tauto|]. intros [->|I]; destruct (P_dec p _); try congruence; auto. subst; auto. }
  rewrite F by apply all_places. rewrite merged_plain; auto.
Qed.

(** One join keeps the youngest, and takes its fork away. *)
Lemma top_step p e c l e' :
  apart p e (c :: l) ->
  e' = (if same (cells (fin c) p) (cells (base c) p) then e else
        match cells (fin c) p with Some (_, t) => by_stamp (born c) e t | None => e end) ->
  apart p e' l /\ (forall x v, top p e (c :: l) x v -> top p e' l x v) /\ (quiet p (c :: l) -> e' = e /\ quiet p l).
Proof.
  intros (ND & A & B) E. inversion ND as [|? ? NI ND']; subst.
  assert (Q0 : quiet p (c :: l) -> quiet p l) by (intros H d I; apply H; right; auto).
  destruct (same (cells (fin c) p) (cells (base c) p)) eqn:S.
  - split; [|split; auto].
    + split; auto. split; [intros; eapply A; simpl; eauto|intros; apply B; simpl; auto].
    + intros x v (T1 & T2 & T3). split; [|split; auto].
      * destruct T1 as [T1|(d & [->|I] & D1 & D2)]; auto; [destruct D2; congruence|right; eauto].
      * intros d w I; apply T3; right; auto.
  - destruct (B c (or_introl eq_refl) S) as (y & t & Ef). rewrite Ef.
    split; [|split; [|intro H; specialize (H c (or_introl eq_refl)); congruence]].
    + split; auto. split; [|intros; apply B; simpl; auto].
      intros z w d E I. unfold by_stamp in E. destruct e as [[m mv]|].
      * destruct (m <? born c); inversion E; subst.
        { intro H; apply NI; rewrite <- H; apply in_map; auto. }
        { eapply A; simpl; eauto. }
      * inversion E; subst. intro H; apply NI; rewrite <- H; apply in_map; auto.
    + intros x v (T1 & T2 & T3).
      assert (Wc : wrote p c t) by (split; eauto).
      assert (Lc : born c <= x) by (eapply T3; simpl; eauto).
      assert (M : forall d w, In d l -> wrote p d w -> born d <= x) by (intros; eapply T3; simpl; eauto).
      destruct T1 as [->|(d & [->|I] & D1 & D2)].
      * assert (born c <> x) by (eapply A; simpl; eauto). simpl. destruct (Nat.ltb_spec x (born c)); [lia|].
        split; [auto|split; auto].
      * destruct D2 as (_ & y' & Ef'). rewrite Ef in Ef'. inversion Ef'; subst.
        assert (Es : by_stamp (born d) e v = Some (born d, v)).
        { destruct e as [[m mv]|]; simpl; auto. assert (m <= born d) by (eapply T2; eauto).
          assert (born d <> m) by (eapply A; simpl; eauto). destruct (Nat.ltb_spec m (born d)); auto; lia. }
        rewrite Es. split; [auto|split; [intros z w Ez; inversion Ez; subst; auto|auto]].
      * split; [right; eauto|]. split; [|auto]. intros z w Ez. destruct e as [[m mv]|]; simpl in Ez.
        { destruct (m <? born c); inversion Ez; subst; auto. eapply T2; eauto. }
        { inversion Ez; subst; auto. }
Qed.

Lemma joins_plain lg : forall st lo, (forall p, apart p (cells st p) (lg ++ lo)) ->
  snd (joins st lg) = true /\ clock (fst (joins st lg)) = clock st /\
  (forall N, (forall p x v, cells st p = Some (x, v) -> x < N) -> (forall c, In c lg -> born c < N) ->
             forall p x v, cells (fst (joins st lg)) p = Some (x, v) -> x < N) /\
  forall p, apart p (cells (fst (joins st lg)) p) lo /\
    (forall x v, top p (cells st p) (lg ++ lo) x v -> top p (cells (fst (joins st lg)) p) lo x v) /\
    (quiet p (lg ++ lo) -> cells (fst (joins st lg)) p = cells st p /\ quiet p lo).
Proof.
  induction lg as [|c lg IH]; intros st lo A; [simpl; split; [auto|split; [auto|split; [eauto|intro p; split; [apply A|split; auto]]]]|].
  destruct (join1_plain c st) as (st1 & J & C & E).
  { intro p. destruct (A p) as (ND & A1 & A2). split; [simpl; constructor; [auto|constructor]|].
    split; [intros; eapply A1; eauto; destruct H0 as [<-|[]]; left; auto|]. intros d [<-|[]]; apply A2; left; auto. }
  destruct c as [[cb cf] cr]. cbn [Store.joins]. change cb with (base (cb, cf, cr)). change cf with (fin (cb, cf, cr)) at 1.
  cbn [base fin fst snd] in J |- *. rewrite J.
  assert (St : forall p, apart p (cells st1 p) (lg ++ lo) /\ (forall x v, top p (cells st p) (((cb, cf, cr) :: lg) ++ lo) x v -> top p (cells st1 p) (lg ++ lo) x v)
      /\ (quiet p (((cb, cf, cr) :: lg) ++ lo) -> cells st1 p = cells st p /\ quiet p (lg ++ lo))).
  { intros p. apply top_step; [apply A|apply E]. }
  destruct (IH st1 lo) as (I1 & I2 & I0 & I3); [intro p; apply (St p)|].
  split; auto. split; [congruence|]. split.
  { intros N H1 H2. apply I0; [|intros; apply H2; right; auto]. intros p x v. rewrite E.
    unfold fin, base; cbn [fst snd].
    destruct (same (cells cf p) (cells cb p)); [intro Hm; exact (H1 _ _ _ Hm)|]. destruct (cells cf p) as [[y t]|]; [|intro Hm; exact (H1 _ _ _ Hm)].
    assert (B0 : born (cb, cf, cr) < N) by (apply H2; left; auto). unfold by_stamp.
    destruct (cells st p) as [[m mv]|] eqn:Em; [|intros [= <- <-]; auto].
    destruct (m <? born (cb, cf, cr)); intros [= <- <-]; [auto|eapply H1; eauto]. }
  intro p. destruct (I3 p) as (K1 & K2 & K3). split; auto. split.
  - intros x v T. apply K2. apply (St p); auto.
  - intros Qt. destruct (St p) as (_ & _ & S3). destruct (S3 Qt) as [Q1 Q2]. destruct (K3 Q2). split; auto. congruence.
Qed.

Lemma of_others g (l : list (nat * ended_fork)) : Permutation (map snd l) (of g l ++ map snd (others g l)).
Proof.
  unfold of, others. induction l as [|[g' c] l IH]; simpl; auto. destruct (g =? g'); simpl; [now constructor|].
  eapply perm_trans; [constructor; exact IH|]. apply Permutation_middle.
Qed.
Lemma apart_perm p e l l' : Permutation l l' -> apart p e l -> apart p e l'.
Proof.
  intros H (A & B & C). split; [eapply Permutation_NoDup; [apply Permutation_map; eauto|auto]|].
  assert (I : forall c, In c l' -> In c l) by (intros; eapply Permutation_in; [apply Permutation_sym|]; eauto).
  split; eauto.
Qed.
Lemma top_perm p e l l' x v : Permutation l l' -> top p e l x v -> top p e l' x v.
Proof.
  intros H (A & B & C). assert (I : forall c, In c l' -> In c l) by (intros; eapply Permutation_in; [apply Permutation_sym|]; eauto).
  assert (J : forall c, In c l -> In c l') by (intros; eapply Permutation_in; eauto).
  split; [destruct A as [A|(c & ? & ? & ?)]; [auto|right; exists c; auto]|split; eauto].
Qed.

(** c0 is when the strand began, e0 and v0 what it found at p, concurrently and sequentially. *)
Definition begun p c0 (e0 : option (nat * V)) (v0 : option V) (a : store) (l : list ended_fork) (b : store) :=
  (cells a p = e0 /\ quiet p l /\ vals b p = v0) \/ (exists x v, top p (cells a p) l x v /\ c0 <= x /\ vals b p = Some v).
Definition sane (a : store) (l : list ended_fork) :=
  (forall p, apart p (cells a p) l) /\ (forall p x v, cells a p = Some (x, v) -> x < clock a) /\ (forall c, In c l -> born c < clock a).

Lemma modes s a l b a' b' r : both s a l b a' b' r -> sane a (map snd l) ->
  sane a' [] /\ clock a <= clock a' /\ big s a l a' r /\ sbig s b (map (fun x => (fst x, snd (snd x))) l) b' r /\
  forall p c0 e0 v0, c0 <= clock a -> begun p c0 e0 v0 a (map snd l) b -> begun p c0 e0 v0 a' [] b'.
Proof.
  induction 1 as [s a l b k a' b' r A E _ IH|s a l b p v k a' b' r A _ IH|s a l b g n q k aq bq rq a' b' r A _ IHq _ IH|
                  s a l b g k a' b' r A Et _ IH|s a b r A]; intros (S1 & S2 & S3).
  - destruct IH as (I1 & I2 & I3 & I4 & I5); [split; auto|]. repeat (split; auto).
    + eapply b_see; eauto. + eapply q_see; eauto. now rewrite <- E.
  - destruct IH as (I1 & I2 & I3 & I4 & I5).
    { split; [|split].
      - intro q. destruct (S1 q) as (N1 & N2 & N3). split; auto. split; auto. intros y w c. simpl. unfold upd.
        destruct (P_dec p q); [|apply N2]. intros [= <- <-] I H. specialize (S3 _ I). lia.
      - intros q x w. simpl. unfold upd. destruct (P_dec p q); [intros [= <- <-]; lia|]. intro H; apply S2 in H; lia.
      - intros c I. apply S3 in I. simpl; lia. }
    simpl in I2. split; auto. split; [lia|]. split; [eapply b_write; eauto|]. split; [eapply q_write; eauto|].
    intros q c0 e0 v0 L B. apply I5; [simpl; lia|]. destruct (P_dec p q) as [<-|N].
    + right. exists (clock a), v. unfold vals; simpl. unfold upd. destruct (P_dec p p); [|congruence]. split; auto.
      split; auto. split; [intros y w [= <- <-]; lia|]. intros c w I _. apply S3 in I. lia.
    + unfold begun, vals in *; simpl in *; unfold upd in *. destruct (P_dec p q); [congruence|auto].
  - destruct IHq as (J1 & J2 & J3 & J4 & J5).
    { split; [|split]; [|intros q0 x w H; apply S2 in H; simpl; lia|intros c []].
      intro p. split; [constructor|]. split; [intros ? ? ? _ []|intros ? []]. }
    simpl in J2. set (c1 := (a, aq, rq)) in *.
    assert (Hc : forall p, same (cells aq p) (cells a p) = false -> exists v, wrote p c1 v /\ vals bq p = Some v).
    { intros p Hp. destruct (J5 p (S (clock a)) (cells a p) (vals b p)) as [(K1 & _ & _)|(x & v & (T1 & _) & _ & K)].
      - simpl; lia.
      - left; split; [auto|split; [intros ? []|auto]].
      - unfold wrote in *. rewrite K1 in Hp. destruct (cells a p) as [[z w]|]; simpl in Hp; [rewrite Nat.eqb_refl in Hp|]; discriminate.
      - exists v. split; auto. destruct T1 as [T1|(c & [] & _)]. split; eauto. }
    assert (Hs : forall p, same (cells aq p) (cells a p) = true -> vals bq p = vals b p).
    { intros p Hp. destruct (J5 p (S (clock a)) (cells a p) (vals b p)) as [(_ & _ & K)|(x & v & (T1 & _) & Lx & K)];
        [simpl; lia|left; split; [auto|split; [intros ? []|auto]]|auto|].
      destruct T1 as [T1|(c & [] & _)]. rewrite T1 in Hp. destruct (cells a p) as [[z w]|] eqn:Ea; simpl in Hp; [|discriminate].
      apply Nat.eqb_eq in Hp. apply S2 in Ea. lia. }
    destruct IH as (I1 & I2 & I3 & I4 & I5).
    { rewrite map_app; simpl. split; [|split].
      - intro p. destruct (S1 p) as (N1 & N2 & N3). split; [|split].
        + rewrite map_app; simpl. apply Permutation_NoDup with (l := born c1 :: map born (map snd l)); [apply Permutation_cons_append|].
          constructor; auto. intro H. apply in_map_iff in H. destruct H as (c & H1 & H2). apply S3 in H2. unfold c1 in H1. unfold born at 2, base in H1. simpl in H1. lia.
        + intros y w c Hy I. apply in_app_or in I. destruct I as [I|[<-|[]]]; [eapply N2; eauto|]. simpl in Hy. apply S2 in Hy. unfold c1, born, base; simpl; lia.
        + intros c I Hc'. apply in_app_or in I. destruct I as [I|[<-|[]]]; auto.
          destruct (Hc p Hc') as (v & (_ & x & W) & _). exists x, v; auto.
      - intros p x w H. simpl in *. apply S2 in H. lia.
      - intros c I. simpl. apply in_app_or in I. destruct I as [I|[<-|[]]]; [apply S3 in I; lia|unfold c1, born, base; simpl; lia]. }
    simpl in I2. split; auto. split; [lia|]. split; [eapply b_fork; eauto|].
    split; [eapply q_fork; eauto; rewrite map_app in I4; exact I4|].
    intros p c0 e0 v0 L B. apply I5; [simpl; lia|]. rewrite map_app; simpl. unfold begun. simpl.
    destruct (same (cells aq p) (cells a p)) eqn:Sm.
    + rewrite (Hs _ Sm). destruct B as [(B1 & B2 & B3)|(x & v & (T1 & T2 & T3) & Lx & B3)].
      * left. split; auto. split; auto. intros c I. apply in_app_or in I. destruct I as [I|[<-|[]]]; auto.
      * right. exists x, v. split; auto. split; [|split; auto].
        -- destruct T1 as [T1|(c & ? & ? & ?)]; auto. right. exists c. split; auto. apply in_or_app; auto.
        -- intros c w I W. apply in_app_or in I. destruct I as [I|[<-|[]]]; [eapply T3; eauto|]. destruct W as [W _]. unfold c1, fin, base in W; simpl in W. congruence.
    + destruct (Hc p Sm) as (v & W & K). right. exists (clock a), v. split; auto. split; [|split].
      * right. exists c1. split; [apply in_or_app; right; left; auto|]. split; auto.
      * intros y w H. apply S2 in H. lia.
      * intros c w I _. apply in_app_or in I. destruct I as [I|[<-|[]]]; [apply S3 in I; lia|unfold c1, born, base; simpl; lia].
  - pose proof (of_others g l) as Pm.
    destruct (joins_plain (of g l) a (map snd (others g l))) as (J1 & J2 & J0 & J3).
    { intro p. eapply apart_perm; eauto. }
    destruct IH as (I1 & I2 & I3 & I4 & I5).
    { split; [intro p; apply J3|split].
      - rewrite J2. apply J0; auto. intros c I. apply S3. eapply Permutation_in; [apply Permutation_sym; eauto|]. apply in_or_app; auto.
      - intros c I. rewrite J2. apply S3. eapply Permutation_in; [apply Permutation_sym; eauto|]. apply in_or_app; auto. }
    rewrite J2 in I2. split; auto. split; auto. split; [eapply b_join; eauto; rewrite J1; auto|].
    split.
    { eapply q_join; eauto. rewrite Et in I4. replace (ofs g (map (fun x => (fst x, snd (snd x))) l)) with (results (of g l)).
      - replace (others' g (map (fun x => (fst x, snd (snd x))) l)) with (map (fun x : nat * ended_fork => (fst x, snd (snd x))) (others g l)); auto.
        unfold others, others'. clear. induction l as [|[g' c] l IH]; simpl; auto. destruct (g =? g'); simpl; congruence.
      - unfold ofs, of, results. clear. induction l as [|[g' c] l IH]; simpl; auto. destruct (g =? g'); simpl; congruence. }
    intros p c0 e0 v0 L B. apply I5; [lia|]. destruct (J3 p) as (K1 & K2 & K3).
    destruct B as [(B1 & B2 & B3)|(x & v & T0 & Lx & B3)].
    + left. destruct K3 as [K3 K4]; [|split; [congruence|auto]].
      intros c I. apply B2. eapply Permutation_in; [apply Permutation_sym; eauto|auto].
    + right. exists x, v. split; auto. apply K2. eapply top_perm; eauto.
  - split; [split; [intro p; apply S1|split; auto; intros c []]|]. split; auto. split; [now apply b_halt|]. split; [now apply q_halt|]. auto.
Qed.

(** F3: sequential and concurrent, the values that are left are the same, and so is what the strand ends with. *)
Theorem sequential_is_concurrent q st0 a b r :
  (forall p x v, cells st0 p = Some (x, v) -> x < clock st0) -> both q st0 [] st0 a b r ->
  big q st0 [] a r /\ sbig q st0 [] b r /\ forall p, vals a p = vals b p.
Proof.
  intros W B. destruct (modes _ _ _ _ _ _ _ B) as (_ & _ & H1 & H2 & H3).
  { split; [|split; [auto|intros c []]]. intro p. split; [constructor|]. split; [intros ? ? ? _ []|intros ? []]. }
  split; auto. split; auto. intro p. destruct (H3 p (clock st0) (cells st0 p) (vals st0 p)) as [(E & _ & ->)|(x & v & (T1 & _) & _ & ->)]; auto.
  - left; split; [auto|split; [intros ? []|auto]].
  - unfold vals; now rewrite E.
  - destruct T1 as [E|(c & [] & _)]. unfold vals; now rewrite E.
Qed.
End Modes.
