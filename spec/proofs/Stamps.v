(** F3 counts stamps over the whole run; Core.v counts them in each store. It makes no difference: a number of the run
    depends on the schedule, but only how two numbers of one strand compare is ever asked. *)
From Coq Require Import List Arith Lia Bool.
From TF Require Import Core.
Import ListNotations.

Section Stamps.
Variables (P V Q R : Type) (P_dec : forall a b : P, {a = b} + {a <> b}) (policy_of : P -> policy V) (places : list P).
Variable act : Q -> action P V Q R.
(** Bodies see values only, nothing of how a store is made. *)
Hypothesis act_ext : forall s k, act s = See k -> forall a b, (forall p, a p = b p) -> k a = k b.
Notation store := (store P V). Notation tree := (tree P V Q). Notation forest := (forest P V Q).
Notation write := (write P_dec). Notation take := (take act). Notation drop := (@drop P V Q).
Notation live := (live act). Notation snoc := (@snoc P V Q). Notation ended := (ended act).
Notation joins := (joins P_dec policy_of places). Notation told := (told P_dec policy_of places). Notation join1 := (join1 P_dec policy_of places).
Notation step := (step P_dec policy_of places act). Notation stepF := (stepF P_dec policy_of places act).

(** F3 as it is written: [n] is the next stamp of the run. *)
Definition at_ (n : nat) (st : store) : store := Build_store (cells st) n.
Inductive gstep : nat -> tree -> nat -> tree -> Prop :=
| g_see n s st f k : act s = See k -> gstep n (T s st f) n (T (k (vals st)) st f)
| g_write n s st f p v k : act s = Write p v k ->
    gstep n (T s st f) (S n) (T k (Build_store (upd P_dec (cells st) p (Some (n, v))) (clock st)) f)
| g_fork n s st f g lim q k : act s = Fork g lim q k -> room lim (live g f) ->
    gstep n (T s st f) (S n) (T k st (snoc f g (at_ n st) (T q st Nil)))
| g_join n s st f g k l : act s = Join g k -> take g f = Some l ->
    gstep n (T s st f) n (T (k (snd (joins st l)) (told st l) (results l)) (fst (joins st l)) (drop g f))
| g_drop n s st f g k l : act s = Drop g k -> take g f = Some l -> gstep n (T s st f) n (T (k (results l)) st (drop g f))
| g_child n n' s st f f' : gstepF n f n' f' -> gstep n (T s st f) n' (T s st f')
with gstepF : nat -> forest -> nat -> forest -> Prop :=
| g_here n n' g b t t' f : gstep n t n' t' -> gstepF n (Cons g b t f) n' (Cons g b t' f)
| g_there n n' g b t f f' : gstepF n f n' f' -> gstepF n (Cons g b t f) n' (Cons g b t f').
Scheme gstep_mut := Induction for gstep Sort Prop with gstepF_mut := Induction for gstepF Sort Prop.
Combined Scheme gstep_ind2 from gstep_mut, gstepF_mut.

(* local stamps below c are renamed by m, in order, to stamps of the run below n *)
Definition mono (m : nat -> nat) (c n : nat) := (forall x y, x < y -> y < c -> m x < m y) /\ (forall x, x < c -> m x < n).
Definition relE (m : nat -> nat) (c : nat) (a b : option (nat * V)) : Prop :=
  match a, b with
  | None, None => True | Some (x, v), Some (y, w) => x < c /\ y = m x /\ v = w | _, _ => False end.
Definition relS m c (a b : store) := forall p, relE m c (cells a p) (cells b p).

Fixpoint relT (n : nat) (m0 : nat -> nat) (c0 : nat) (a b : tree) {struct a} : Prop :=
  match a, b with
  | T s st f, T s' st' f' =>
      s = s' /\ c0 <= clock st /\ exists m, (forall x, x < c0 -> m x = m0 x) /\ mono m (clock st) n /\ relS m (clock st) st st' /\
        relF n m (clock st) f f'
  end
with relF (n : nat) (m : nat -> nat) (c : nat) (a b : forest) {struct a} : Prop :=
  match a, b with
  | Nil, Nil => True
  | Cons g b t f, Cons g' b' t' f' =>
      g = g' /\ clock b < c /\ clock b' = m (clock b) /\ relS m (clock b) b b' /\ relT n m (S (clock b)) t t' /\ relF n m c f f'
  | _, _ => False
  end.

Lemma mono_inj m c n x y : mono m c n -> x < c -> y < c -> (m x = m y <-> x = y).
Proof. intros [H _] A B. split; [|congruence]. intro E. destruct (lt_eq_lt_dec x y) as [[L|]|L]; auto; apply H in L; lia. Qed.
Lemma mono_lt m c n x y : mono m c n -> x < c -> y < c -> (m x < m y <-> x < y).
Proof. intros [H _] A B. split; [|intro; apply H; auto]. intro E. destruct (lt_eq_lt_dec x y) as [[L|L]|L]; [auto|subst; lia|apply H in L; lia]. Qed.
Lemma mono_ltb m c n x y : mono m c n -> x < c -> y < c -> (m x <? m y) = (x <? y).
Proof. intros M A B. pose proof (mono_lt _ _ _ _ _ M A B). destruct (Nat.ltb_spec (m x) (m y)), (Nat.ltb_spec x y); auto; lia. Qed.
Lemma mono_eqb m c n x y : mono m c n -> x < c -> y < c -> (m x =? m y) = (x =? y).
Proof. intros M A B. pose proof (mono_inj _ _ _ _ _ M A B). destruct (Nat.eqb_spec (m x) (m y)), (Nat.eqb_spec x y); auto; tauto. Qed.
Lemma mono_up m c n n' : n <= n' -> mono m c n -> mono m c n'.
Proof. intros L [A B]; split; auto. intros x H; specialize (B x H); lia. Qed.
Lemma relE_up m m' c c' a b : c <= c' -> (forall x, x < c -> m' x = m x) -> relE m c a b -> relE m' c' a b.
Proof. destruct a as [[]|], b as [[]|]; simpl; auto. intros L E (A & B & C). rewrite E by auto. repeat split; auto; lia. Qed.
Lemma relS_up m m' c c' a b : c <= c' -> (forall x, x < c -> m' x = m x) -> relS m c a b -> relS m' c' a b.
Proof. intros L E H p. eapply relE_up; eauto. Qed.

Scheme tree_mut2 := Induction for Core.tree Sort Prop with forest_mut2 := Induction for Core.forest Sort Prop.

Lemma rel_up :
  (forall (a : tree) b n n' m m' c, n <= n' -> (forall x, x < c -> m' x = m x) -> relT n m c a b -> relT n' m' c a b) /\
  (forall (a : forest) b n n' m m' c c', n <= n' -> c <= c' -> (forall x, x < c -> m' x = m x) -> relF n m c a b -> relF n' m' c' a b).
Proof.
  apply tree_forest_ind.
  - intros s st f IH [s' st' f'] n n' m0 m0' c L E (-> & A & m & B & M & D & F). split; auto. split; auto.
    exists m. split; [intros x H; rewrite B, E; auto|]. split; [eapply mono_up; eauto|]. split; auto.
    exact (IH f' n n' m m _ _ L (le_n _) (fun x _ => eq_refl) F).
  - intros [|]; simpl; auto.
  - intros g b t IHt f IHf [|g' b' t' f'] n n' m m' c c' L C E; simpl; auto.
    intros (-> & A & B & D & F & G).
    assert (E1 : forall x, x < S (clock b) -> m' x = m x) by (intros; apply E; lia).
    split; auto. split; [lia|]. split; [rewrite E; auto|]. split; [|split].
    + apply (relS_up m m' (clock b) (clock b)); auto.
    + exact (IHt _ _ _ _ _ _ L E1 F).
    + exact (IHf _ _ _ _ _ _ _ L C E G).
Qed.

Lemma rel_vals m c a b : relS m c a b -> forall p, vals a p = vals b p.
Proof. intros H p. specialize (H p). unfold vals. destruct (cells a p) as [[]|], (cells b p) as [[]|]; simpl in *; intuition; subst; auto. Qed.

Lemma rel_ended n m c a b : relT n m c a b ->
  match ended a, ended b with
  | Some (x, r), Some (y, r') => r = r' /\ c <= clock x /\ exists m', (forall z, z < c -> m' z = m z) /\ mono m' (clock x) n /\ relS m' (clock x) x y
  | None, None => True | _, _ => False end.
Proof.
  destruct a as [s st f], b as [s' st' f']. simpl. intros (-> & A & m' & B & M & D & F).
  destruct f, f'; simpl in F; try contradiction; auto. destruct (act s'); auto. repeat split; auto. exists m'; auto.
Qed.

(** The same decision at each place. *)
Lemma rel_merged w m m' n born ct c b b' mi mi' t t' :
  mono m c n -> born < c -> mono m' ct n -> S born <= ct -> (forall x, x < S born -> m' x = m x) ->
  relE m born b b' -> relE m c mi mi' -> relE m' ct t t' ->
  match merged w born b mi t, merged w (m born) b' mi' t' with
  | Some x, Some y => relE m c x y | None, None => True | _, _ => False end.
Proof.
  intros M Hb M' Hct E Rb Rm Rt. unfold merged.
  assert (Sm : same t' b' = same t b).
  { destruct t as [[tx tv]|], t' as [[ty tw]|], b as [[bx bv]|], b' as [[by_ bw]|]; simpl in *; try contradiction; auto.
    destruct Rt as (A & -> & _), Rb as (B & -> & _). rewrite <- (E bx) by lia. eapply mono_eqb; eauto. lia. }
  rewrite Sm. destruct (same t b); [auto|].
  destruct t as [[tx tv]|], t' as [[ty tw]|]; simpl in Rt; try contradiction; auto.
  destruct Rt as (At & -> & ->).
  assert (BS : relE m c (by_stamp born mi tw) (by_stamp (m born) mi' tw)).
  { destruct mi as [[x v]|], mi' as [[y v']|]; simpl in *; try contradiction; auto.
    destruct Rm as (A & -> & ->). rewrite (mono_ltb _ _ _ _ _ M) by auto. destruct (x <? born); simpl; auto. }
  destruct w; auto; destruct b as [[bx bv]|], b' as [[bx' bv']|]; simpl in Rb; try contradiction; auto;
    destruct mi as [[x v]|], mi' as [[x' v']|]; simpl in Rm; try contradiction; auto;
    destruct Rb as (Ab & -> & ->), Rm as (Am & -> & ->);
    rewrite (mono_eqb _ _ _ _ _ M) by lia; destruct (x =? bx); auto.
  - rewrite (mono_ltb _ _ _ _ _ M) by auto. destruct (born <? x); simpl; auto.
  - rewrite (mono_ltb _ _ _ _ _ M) by auto. destruct (born <? x); simpl; auto.
  - destruct (f bv' v' tw); simpl; auto.
Qed.

Lemma rel_lost w m m' n born ct c b b' mi mi' t t' :
  mono m c n -> born < c -> mono m' ct n -> S born <= ct -> (forall x, x < S born -> m' x = m x) ->
  relE m born b b' -> relE m c mi mi' -> relE m' ct t t' -> lost w b mi t = lost w b' mi' t'.
Proof.
  intros M Hb M' Hct E Rb Rm Rt. unfold lost.
  destruct t as [[tx tv]|], t' as [[ty tw]|], b as [[bx bv]|], b' as [[bx' bv']|], mi as [[x v]|], mi' as [[x' v']|];
    simpl in *; try contradiction; destruct w; auto.
  destruct Rt as (At & -> & ->), Rb as (Ab & -> & ->), Rm as (Am & -> & ->).
  rewrite (mono_eqb _ _ _ _ _ M) by lia. rewrite <- (E bx) by lia. rewrite (mono_eqb _ _ _ _ _ M') by lia. auto.
Qed.
Lemma rel_conflicts m m' n b b' mi mi' fin fin' :
  mono m (clock mi) n -> clock b < clock mi -> mono m' (clock fin) n -> S (clock b) <= clock fin ->
  (forall x, x < S (clock b) -> m' x = m x) -> relS m (clock b) b b' -> relS m (clock mi) mi mi' -> relS m' (clock fin) fin fin' ->
  conflicts policy_of places b mi fin = conflicts policy_of places b' mi' fin'.
Proof.
  intros M Hb M' Hf E Rb Rm Rf. unfold conflicts. apply filter_ext. intro p.
  exact (rel_lost (policy_of p) m m' n (clock b) (clock fin) (clock mi) _ _ _ _ _ _ M Hb M' Hf E (Rb p) (Rm p) (Rf p)).
Qed.

Lemma rel_join1 m m' n b b' mi mi' fin fin' :
  mono m (clock mi) n -> clock b < clock mi -> clock b' = m (clock b) -> mono m' (clock fin) n -> S (clock b) <= clock fin ->
  (forall x, x < S (clock b) -> m' x = m x) -> relS m (clock b) b b' -> relS m (clock mi) mi mi' -> relS m' (clock fin) fin fin' ->
  match join1 b mi fin, join1 b' mi' fin' with
  | Some x, Some y => clock x = clock mi /\ relS m (clock mi) x y | None, None => True | _, _ => False end.
Proof.
  intros M Hb Eb M' Hf E Rb Rm Rf. unfold Store.join1.
  assert (K : forall l, existsb (@failed P V) (map (fun p => (p, merged (policy_of p) (clock b) (cells b p) (cells mi p) (cells fin p))) l) =
                        existsb (@failed P V) (map (fun p => (p, merged (policy_of p) (clock b') (cells b' p) (cells mi' p) (cells fin' p))) l) /\
              forall p, match Store.find P_dec p (map (fun p => (p, merged (policy_of p) (clock b) (cells b p) (cells mi p) (cells fin p))) l),
                              Store.find P_dec p (map (fun p => (p, merged (policy_of p) (clock b') (cells b' p) (cells mi' p) (cells fin' p))) l) with
                        | Some (Some x), Some (Some y) => relE m (clock mi) x y | Some None, Some None => True | None, None => True | _, _ => False end).
  { induction l as [|q l [IH1 IH2]]; simpl; [split; auto|].
    pose proof (rel_merged (policy_of q) m m' n (clock b) (clock fin) (clock mi) _ _ _ _ _ _ M Hb M' Hf E (Rb q) (Rm q) (Rf q)) as H.
    rewrite <- Eb in H. split.
    - rewrite IH1. f_equal. unfold failed; simpl. revert H.
      repeat match goal with |- context [merged ?a0 ?b0 ?c0 ?d0 ?e0] => destruct (merged a0 b0 c0 d0 e0) end; intro; try contradiction; auto.
    - intro p. destruct (P_dec p q); [|apply IH2]. revert H.
      repeat match goal with |- context [merged ?a0 ?b0 ?c0 ?d0 ?e0] => destruct (merged a0 b0 c0 d0 e0) end; intro; try contradiction; auto. }
  destruct (K places) as [K1 K2]. cbv zeta. unfold table. rewrite K1.
  match goal with |- context [existsb ?x ?y] => destruct (existsb x y) end; [exact I|]. split; [reflexivity|].
  intro p. specialize (K2 p). cbn [cells].
  destruct (Store.find P_dec p (map (fun p => (p, merged (policy_of p) (clock b) _ _ _)) places)) as [[|]|],
           (Store.find P_dec p (map (fun p => (p, merged (policy_of p) (clock b') _ _ _)) places)) as [[|]|];
    try contradiction; auto; apply Rm.
Qed.

Definition relL n m c (l l' : list (store * store * R)) := Forall2 (fun x y =>
  let '(b, fin, r) := x in let '(b', fin', r') := y in
  r = r' /\ clock b < c /\ clock b' = m (clock b) /\ relS m (clock b) b b' /\ S (clock b) <= clock fin /\
  exists m', (forall z, z < S (clock b) -> m' z = m z) /\ mono m' (clock fin) n /\ relS m' (clock fin) fin fin') l l'.

Lemma rel_take n m c g f f' : relF n m c f f' ->
  match take g f, take g f' with Some l, Some l' => relL n m c l l' | None, None => True | _, _ => False end.
Proof.
  revert f'; induction f as [|g0 b t f IH]; intros [|g1 b' t' f']; simpl; try contradiction; [constructor|].
  intros (-> & A & B & D & F & G). specialize (IH _ G). destruct (g =? g1); auto.
  pose proof (rel_ended _ _ _ _ _ F) as H.
  destruct (ended t) as [[x r]|], (ended t') as [[y r']|]; try contradiction; auto.
  destruct (take g f), (take g f'); try contradiction; auto.
  constructor; auto. destruct H as (-> & H & m' & ? & ? & ?). repeat split; auto. exists m'; auto.
Qed.
Lemma rel_drop n m c g f f' : relF n m c f f' -> relF n m c (drop g f) (drop g f').
Proof.
  revert f'; induction f as [|g0 b t f IH]; intros [|g1 b' t' f']; simpl; try contradiction; auto.
  intros (-> & A & B & D & F & G). destruct (g =? g1); simpl; auto. repeat split; auto.
Qed.
Lemma rel_live n m c g f f' : relF n m c f f' -> live g f = live g f'.
Proof.
  revert f'; induction f as [|g0 b t f IH]; intros [|g1 b' t' f']; simpl; try contradiction; auto.
  intros (-> & A & B & D & F & G). rewrite (IH _ G). f_equal. destruct (g =? g1); auto.
  pose proof (rel_ended _ _ _ _ _ F). destruct (ended t) as [[]|], (ended t') as [[]|]; auto; contradiction.
Qed.
Lemma rel_snoc n m c f f' g b b' t t' : relF n m c f f' -> clock b < c -> clock b' = m (clock b) -> relS m (clock b) b b' ->
  relT n m (S (clock b)) t t' -> relF n m c (snoc f g b t) (snoc f' g b' t').
Proof.
  revert f'; induction f as [|g0 b0 t0 f IH]; intros [|g1 b1 t1 f']; simpl; try contradiction; [repeat split; auto|].
  intros (-> & A & B & D & F & G); repeat split; auto.
Qed.
Lemma rel_results n m c l l' : relL n m c l l' -> results l = results l'.
Proof. unfold results; induction 1 as [|[[b fin] r] [[b' fin'] r'] l l' (-> & _) _ IH]; simpl; congruence. Qed.
Lemma rel_joins n m c l l' : relL n m c l l' -> mono m c n -> forall st st', clock st = c -> relS m c st st' ->
  snd (joins st l) = snd (joins st' l') /\ told st l = told st' l' /\ clock (fst (joins st l)) = c /\
  relS m c (fst (joins st l)) (fst (joins st' l')).
Proof.
  intros L M. induction L as [|[[b fin] r] [[b' fin'] r'] l l' H L IH]; simpl; intros st st' C S0; auto.
  destruct H as (-> & A & B & D & F & m' & X & Y & Z). subst c.
  pose proof (rel_join1 _ _ _ _ _ _ _ _ _ M A B Y F X D S0 Z) as J.
  pose proof (rel_conflicts _ _ _ _ _ _ _ _ _ M A Y F X D S0 Z) as Cf.
  destruct (join1 b st fin) as [x|], (join1 b' st' fin') as [y|]; try contradiction; auto.
  destruct J as [J1 J2]. destruct (IH _ _ J1 J2) as (K1 & K2 & K3 & K4). repeat split; auto. congruence.
Qed.

Lemma simulation :
  (forall n b n' b', gstep n b n' b' -> n <= n' /\ forall a m c, relT n m c a b -> exists a', step a a' /\ relT n' m c a' b') /\
  (forall n b n' b', gstepF n b n' b' -> n <= n' /\ forall a m c, relF n m c a b -> exists a', stepF a a' /\ relF n' m c a' b').
Proof.
  apply gstep_ind2.
  - intros n s st f k A. split; auto. intros [s0 st0 f0] m0 c (-> & C & m & B & M & D & F).
    exists (T (k (vals st0)) st0 f0). split; [now apply s_see|].
    simpl. rewrite (act_ext _ _ A _ _ (rel_vals _ _ _ _ D)). repeat split; auto. exists m; auto.
  - intros n s st f p v k A. split; auto. intros [s0 st0 f0] m0 c (-> & C & m & B & M & D & F).
    exists (T k (write st0 p v) f0). split; [now apply s_write|].
    simpl. repeat split; auto. set (m1 := fun x => if x =? clock st0 then n else m x). exists m1.
    assert (E : forall x, x < clock st0 -> m1 x = m x) by (intros x L; unfold m1; destruct (Nat.eqb_spec x (clock st0)); auto; lia).
    assert (E' : m1 (clock st0) = n) by (unfold m1; now rewrite Nat.eqb_refl).
    split; [intros; rewrite E; auto; lia|]. split; [|split].
    + split.
      * intros x y L1 L2. destruct (Nat.eq_dec y (clock st0)) as [->|]; [rewrite E', E by lia; apply M; lia|rewrite !E by lia; apply M; lia].
      * intros x L1. destruct (Nat.eq_dec x (clock st0)) as [->|]; [rewrite E'; lia|rewrite E by lia; assert (m x < n) by (apply M; lia); lia].
    + intro q. simpl. unfold Store.upd. destruct (P_dec p q); simpl; [auto|]. eapply relE_up; [| |apply D]; auto.
    + eapply rel_up; [| | |apply F]; auto.
  - intros n s st f g lim q k A Rm. split; auto. intros [s0 st0 f0] m0 c (-> & C & m & B & M & D & F).
    exists (T k (tick st0) (snoc f0 g st0 (T q (tick st0) Nil))). split; [apply s_fork with (n := lim); auto; erewrite rel_live; eauto|].
    simpl. repeat split; auto. set (m1 := fun x => if x =? clock st0 then n else m x). exists m1.
    assert (E : forall x, x < clock st0 -> m1 x = m x) by (intros x L; unfold m1; destruct (Nat.eqb_spec x (clock st0)); auto; lia).
    assert (E' : m1 (clock st0) = n) by (unfold m1; now rewrite Nat.eqb_refl).
    assert (M1 : mono m1 (S (clock st0)) (S n)).
    { split.
      * intros x y L1 L2. destruct (Nat.eq_dec y (clock st0)) as [->|]; [rewrite E', E by lia; apply M; lia|rewrite !E by lia; apply M; lia].
      * intros x L1. destruct (Nat.eq_dec x (clock st0)) as [->|]; [rewrite E'; lia|rewrite E by lia; assert (m x < n) by (apply M; lia); lia]. }
    split; [intros; rewrite E; auto; lia|]. split; [auto|]. split; [eapply relS_up; [| |apply D]; auto|].
    apply rel_snoc; simpl; auto.
    + eapply rel_up; [| | |apply F]; auto.
    + eapply relS_up; [| |apply D]; auto.
    + repeat split; auto. exists m1. repeat split; auto; try apply M1. eapply relS_up; [| |apply D]; auto.
  - intros n s st f g k l A Tk. split; auto. intros [s0 st0 f0] m0 c (-> & C & m & B & M & D & F).
    pose proof (rel_take _ _ _ g _ _ F) as H. rewrite Tk in H. destruct (take g f0) as [l0|] eqn:Tk0; [|contradiction].
    destruct (rel_joins _ _ _ _ _ H M st0 st eq_refl D) as (J1 & Jt & J2 & J3).
    exists (T (k (snd (joins st0 l0)) (told st0 l0) (results l0)) (fst (joins st0 l0)) (drop g f0)). split; [eapply s_join; eauto|].
    simpl. rewrite J1, Jt, J2, (rel_results _ _ _ _ _ H). repeat split; auto. exists m. repeat split; auto; try apply M. now apply rel_drop.
  - intros n s st f g k l A Tk. split; auto. intros [s0 st0 f0] m0 c (-> & C & m & B & M & D & F).
    pose proof (rel_take _ _ _ g _ _ F) as H. rewrite Tk in H. destruct (take g f0) as [l0|] eqn:Tk0; [|contradiction].
    exists (T (k (results l0)) st0 (drop g f0)). split; [eapply s_drop; eauto|].
    simpl. rewrite (rel_results _ _ _ _ _ H). repeat split; auto. exists m. repeat split; auto; try apply M. now apply rel_drop.
  - intros n n' s st f f' _ [L IH]. split; auto. intros [s0 st0 f0] m0 c (-> & C & m & B & M & D & F).
    destruct (IH _ _ _ F) as (f1 & S1 & F1). exists (T s st0 f1). split; [now apply s_child|].
    simpl. repeat split; auto. exists m. repeat split; auto; try apply M. intros x Lx. assert (m x < n) by (apply M; auto). lia.
  - intros n n' g b t t' f _ [L IH]. split; auto. intros [|g0 b0 t0 f0] m c; simpl; [contradiction|].
    intros (-> & A & B & D & F & G). destruct (IH _ _ _ F) as (t1 & S1 & F1).
    exists (Cons g b0 t1 f0). split; [now apply s_here|]. simpl. repeat split; auto. eapply rel_up; [| | |apply G]; auto.
  - intros n n' g b t f f' _ [L IH]. split; auto. intros [|g0 b0 t0 f0] m c; simpl; [contradiction|].
    intros (-> & A & B & D & F & G). destruct (IH _ _ _ G) as (f1 & S1 & F1).
    exists (Cons g b0 t0 f1). split; [now apply s_there|]. simpl. repeat split; auto. eapply rel_up; [| |apply F]; auto.
Qed.

Inductive gsteps : nat -> tree -> nat -> tree -> Prop :=
| gs_0 n t : gsteps n t n t
| gs_S n a n1 b n2 c : gstep n a n1 b -> gsteps n1 b n2 c -> gsteps n a n2 c.

(** With the stamps of the run, and under every schedule: what the big step says. *)
Lemma every_schedule_of_the_run q st0 st r n b n' q1 st1 :
  big P_dec policy_of places act q st0 [] st r ->
  relT n (fun x => x) 0 (T q st0 Nil) b ->
  gsteps n b n' (T q1 st1 Nil) -> act q1 = Halt r \/ (exists r', act q1 = Halt r') ->
  act q1 = Halt r /\ forall p, vals st1 p = vals st p.
Proof.
  intros Bg Rel W Hq.
  assert (H : exists k a, steps P_dec policy_of places act k (T q st0 Nil) a /\ relT n' (fun x => x) 0 a (T q1 st1 Nil)).
  { clear Bg Hq. revert Rel. generalize (T q st0 Nil). remember (T q1 st1 Nil) as e. clear Heqe.
    induction W as [n b|n b n1 b1 n2 e G W IH]; intros a Rel.
    - exists 0, a; split; auto. constructor.
    - destruct (proj1 simulation _ _ _ _ G) as [_ Sim]. destruct (Sim _ _ _ Rel) as (a1 & S1 & Rel1).
      destruct (IH _ Rel1) as (k & a2 & S2 & Rel2). exists (S k), a2; split; auto. econstructor; eauto. }
  destruct H as (k & [q2 st2 f2] & S2 & E & _ & m & _ & _ & D & F). subst q2.
  destruct f2; simpl in F; [|contradiction].
  assert (Fin : final P_dec policy_of places act (T q1 st2 Nil)).
  { destruct Hq as [Hq|[r' Hq]]; eapply halt_final; eauto. }
  destruct (every_end Bg S2 Fin) as (-> & _ & A). split; auto.
  intro p. symmetry. eapply rel_vals; eauto.
Qed.

(** F3: stamps counted over the whole run lead to the same values, under every schedule. *)
Corollary stamps_of_the_run q st0 st r n' q1 st1 r1 :
  (forall p x v, cells st0 p = Some (x, v) -> x < clock st0) ->
  big P_dec policy_of places act q st0 [] st r ->
  gsteps (clock st0) (T q st0 Nil) n' (T q1 st1 Nil) -> act q1 = Halt r1 -> r1 = r /\ forall p, vals st1 p = vals st p.
Proof.
  intros W B G H. destruct (every_schedule_of_the_run q st0 st r (clock st0) (T q st0 Nil) n' q1 st1) as [A C]; eauto.
  - simpl. split; auto. split; [lia|]. exists (fun x => x). split; auto. split; [split; auto|]. split; auto.
    intro p. destruct (cells st0 p) as [[x v]|] eqn:E; simpl; auto. repeat split; auto. eapply W; eauto.
  - split; auto. congruence.
Qed.
End Stamps.
