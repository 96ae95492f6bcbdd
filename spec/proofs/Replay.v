(** Journals (J6, J16): what the world answered is recorded by path, and a run that is given the record goes as the first one
    went. Entries below a path, in the order of paths, are a consistent cut: whatever the world answers at the path and after,
    nothing before it changes, and the first thing that is asked then is the same.

    A body that acts on the world is one that asks: what it gets depends on its path (T8). How a record is written, and that
    one that is not on the disk is asked for again (J3, J4), is left out. *)
From Coq Require Import List Arith Lia Bool Sorted.
From TF Require Import Core PathOrder.
Import ListNotations.

Section Replay.
Variables (P V Q R W : Type).                    (* places, values, control states, what a strand ends with, answers *)
Variable P_dec : forall a b : P, {a = b} + {a <> b}.
Variable policy_of : P -> policy V.
Variable places : list P.
Notation store := (store P V). Notation write := (write P_dec). Notation joins := (joins P_dec policy_of places).
Notation told := (told P_dec policy_of places).
Notation ended_fork := (ended_fork P V R).

(** What a strand does, given what the world answers at each path; a state asks at one path, or nowhere. *)
Definition world := path -> W.
Variable act : world -> Q -> action P V Q R.
Variable asks : Q -> option path.
Hypothesis act_local : forall w w' s, (forall p, asks s = Some p -> w p = w' p) -> act w s = act w' s.

(** T8, as far as it matters here: paths grow. [may s p]: a strand in this state may still ask at this path. *)
Variable ok : Q -> Prop.                         (* of states that come up *)
Variable may : Q -> path -> Prop.
Definition goes (s k : Q) := ok k /\ forall x, may k x -> may s x /\ forall p, asks s = Some p -> before p x.
Hypothesis asks_may : forall s p, ok s -> asks s = Some p -> may s p.
Hypothesis see_goes : forall w s k v, ok s -> act w s = See k -> goes s (k v).
Hypothesis write_goes : forall w s p v k, ok s -> act w s = Write p v k -> goes s k.
Hypothesis join_goes : forall w s g k b c l, ok s -> act w s = Join g k -> goes s (k b c l).
Hypothesis drop_goes : forall w s g k l, ok s -> act w s = Drop g k -> goes s (k l).
Hypothesis fork_goes : forall w s g n q k, ok s -> act w s = Fork g n q k ->
  goes s q /\ goes s k /\ forall x y, may q x -> may k y -> before x y.

(** The big step of Core.v, and what was asked on the way, with the answers: the journal. *)
Definition asked (w : world) (s : Q) : list (path * W) := match asks s with Some p => [(p, w p)] | None => [] end.
Inductive run (w : world) : Q -> store -> list (nat * ended_fork) -> list (path * W) -> store -> R -> Prop :=
| r_see s st l k j st' r : act w s = See k -> run w (k (vals st)) st l j st' r -> run w s st l (asked w s ++ j) st' r
| r_write s st l p v k j st' r : act w s = Write p v k -> run w k (write st p v) l j st' r -> run w s st l (asked w s ++ j) st' r
| r_fork s st l g n q k jq stq rq j st' r : act w s = Fork g n q k ->
    run w q (tick st) [] jq stq rq -> run w k (tick st) (l ++ [(g, (st, stq, rq))]) j st' r ->
    run w s st l (asked w s ++ jq ++ j) st' r
| r_join s st l g k j st' r : act w s = Join g k ->
    run w (k (snd (joins st (of g l))) (told st (of g l)) (results (of g l))) (fst (joins st (of g l))) (others g l) j st' r ->
    run w s st l (asked w s ++ j) st' r
| r_drop s st l g k j st' r : act w s = Drop g k -> run w (k (results (of g l))) st (others g l) j st' r ->
    run w s st l (asked w s ++ j) st' r
| r_halt s st r : act w s = Halt r -> run w s st [] (asked w s) st r.

(** It is the big step, so what it comes to is what every schedule comes to (Core.every_schedule). *)
Lemma run_is_big w s st l j st' r : run w s st l j st' r -> big P_dec policy_of places (act w) s st l st' r.
Proof.
  induction 1; [eapply b_see|eapply b_write|eapply b_fork|eapply b_join|eapply b_drop|eapply b_halt]; eauto.
Qed.

Lemma same_act w w' s : (forall p a, In (p, a) (asked w s) -> w' p = a) -> act w s = act w' s /\ asked w s = asked w' s.
Proof.
  unfold asked. intro H. assert (E : forall p, asks s = Some p -> w p = w' p).
  { intros p E. rewrite E in H. symmetry. apply H. left; auto. }
  split; [now apply act_local|]. destruct (asks s) as [p|] eqn:A; auto. now rewrite (E p).
Qed.

(** J6: with the journal of a run, and whatever the world would answer elsewhere, the run is the same again: the same
    journal, the same store, the same result. *)
Theorem replay w w' s st l j st' r : run w s st l j st' r -> (forall p a, In (p, a) j -> w' p = a) -> run w' s st l j st' r.
Proof.
  induction 1; intro H'.
  - destruct (same_act w w' s) as [A ->]; [intros; apply H'; apply in_or_app; auto|]. eapply r_see; [rewrite <- A; eauto|].
    apply IHrun. intros; apply H'. apply in_or_app; auto.
  - destruct (same_act w w' s) as [A ->]; [intros; apply H'; apply in_or_app; auto|]. eapply r_write; [rewrite <- A; eauto|].
    apply IHrun. intros; apply H'. apply in_or_app; auto.
  - destruct (same_act w w' s) as [A ->]; [intros; apply H'; apply in_or_app; auto|]. eapply r_fork; [rewrite <- A; eauto| |].
    + apply IHrun1. intros; apply H'. apply in_or_app; right. apply in_or_app; auto.
    + apply IHrun2. intros; apply H'. apply in_or_app; right. apply in_or_app; auto.
  - destruct (same_act w w' s) as [A ->]; [intros; apply H'; apply in_or_app; auto|]. eapply r_join; [rewrite <- A; eauto|].
    apply IHrun. intros; apply H'. apply in_or_app; auto.
  - destruct (same_act w w' s) as [A ->]; [intros; apply H'; apply in_or_app; auto|]. eapply r_drop; [rewrite <- A; eauto|].
    apply IHrun. intros; apply H'. apply in_or_app; auto.
  - destruct (same_act w w' s) as [A ->]; [intros; apply H'; auto|]. apply r_halt. now rewrite <- A.
Qed.

(** J6: and so does every schedule of a run that is gone on with: it comes to what the first one came to. *)
Theorem resumed w w' q st0 j st r m q1 st1 f1 : run w q st0 [] j st r -> (forall p a, In (p, a) j -> w' p = a) ->
  steps P_dec policy_of places (act w') m (T q st0 Nil) (T q1 st1 f1) -> final P_dec policy_of places (act w') (T q1 st1 f1) ->
  st1 = st /\ f1 = Nil /\ act w' q1 = Halt r.
Proof. intros H J. apply every_end. eapply run_is_big. eapply replay; eauto. Qed.

(* ------------------------------------------------------------------ the order of a journal *)
Lemma asked_in w s p a : In (p, a) (asked w s) -> asks s = Some p /\ a = w p.
Proof. unfold asked. destruct (asks s); simpl; [intros [[= <- <-]|[]]; auto|tauto]. Qed.

Lemma within w s st l j st' r : run w s st l j st' r -> ok s -> forall p a, In (p, a) j -> may s p.
Proof.
  assert (Here : forall w s p a, ok s -> In (p, a) (asked w s) -> may s p).
  { intros w0 s0 p a K I. apply asked_in in I. apply asks_may; tauto. }
  induction 1; intros K p0 a I; try (apply in_app_or in I; destruct I as [I|I]; [eauto|]); eauto.
  - destruct (see_goes _ _ _ (vals st) K H) as [K' G]. apply G; eauto.
  - destruct (write_goes _ _ _ _ _ K H) as [K' G]. apply G; eauto.
  - destruct (fork_goes _ _ _ _ _ _ K H) as ((Kq & Gq) & (Kk & Gk) & _).
    apply in_app_or in I. destruct I as [I|I]; [apply Gq|apply Gk]; eauto.
  - destruct (join_goes _ _ _ _ (snd (joins st (of g l))) (told st (of g l)) (results (of g l)) K H) as [K' G]. apply G; eauto.
  - destruct (drop_goes _ _ _ _ (results (of g l)) K H) as [K' G]. apply G; eauto.
Qed.

(** All entries are behind this path. *)
Definition behind (p : path) (j : list (path * W)) := forall q a, In (q, a) j -> before p q.
Lemma after_ask w s k st l j st' r : goes s k -> run w k st l j st' r -> forall p, asks s = Some p -> behind p j.
Proof. intros [K G] H p A q a I. apply (G q); auto. eapply within; eauto. Qed.
Lemma after_fork w w' s g n q k st l j st' r st2 l2 j2 st2' r2 : ok s -> act w s = Fork g n q k ->
  run w q st l j st' r -> run w' k st2 l2 j2 st2' r2 -> forall p a, In (p, a) j -> behind p j2.
Proof.
  intros K A H1 H2 p a I p2 a2 I2. destruct (fork_goes _ _ _ _ _ _ K A) as ((Kq & _) & (Kk & _) & B).
  apply B; eapply within; eauto.
Qed.
Lemma first_asked w s st l j st' r : run w s st l j st' r -> ok s ->
  exists d, j = asked w s ++ d /\ forall x, asks s = Some x -> behind x d.
Proof.
  destruct 1 as [s st l k j st' r A H|s st l p0 v k j st' r A H|s st l g n q k jq stq rq j st' r A H1 H2|
                 s st l g k j st' r A H|s st l g k j st' r A H|s st r A]; intro K.
  - exists j. split; auto. eapply after_ask; [eapply see_goes; eauto|eauto].
  - exists j. split; auto. eapply after_ask; [eapply write_goes; eauto|eauto].
  - exists (jq ++ j). split; auto. destruct (fork_goes _ _ _ _ _ _ K A) as (Gq & Gk & _).
    intros x Ax y b I. apply in_app_or in I. destruct I as [I|I]; [exact (after_ask _ _ _ _ _ _ _ _ Gq H1 x Ax y b I)|exact (after_ask _ _ _ _ _ _ _ _ Gk H2 x Ax y b I)].
  - exists j. split; auto. eapply after_ask; [eapply join_goes; eauto|eauto].
  - exists j. split; auto. eapply after_ask; [eapply drop_goes; eauto|eauto].
  - exists []. split; [now rewrite app_nil_r|intros ? _ ? ? []].
Qed.

(** In place, a run asks in the order of paths, and nowhere twice. *)
Theorem in_order w s st l j st' r : ok s -> run w s st l j st' r -> StronglySorted before (map fst j).
Proof.
  intros K H. revert K.
  assert (Fa : forall p d, behind p d -> Forall (before p) (map fst d)).
  { intros p d B. apply Forall_forall. intros x I. apply in_map_iff in I. destruct I as ((y & b) & <- & I). eapply B; eauto. }
  assert (Cons : forall s d, (forall x, asks s = Some x -> behind x d) -> StronglySorted before (map fst d) -> StronglySorted before (map fst (asked w s ++ d))).
  { intros s0 d B S. unfold asked. destruct (asks s0) as [p|]; simpl; auto. constructor; auto. }
  assert (App : forall a b, StronglySorted before (map fst a) -> StronglySorted before (map fst b) ->
     (forall p x, In (p, x) a -> behind p b) -> StronglySorted before (map fst (a ++ b))).
  { intros a b Sa Sb B. induction a as [|(p & x) a IH]; simpl in *; auto. inversion Sa; subst. constructor.
    - apply IH; auto. intros; eapply B; eauto.
    - rewrite map_app. apply Forall_app. split; auto. apply Fa. eapply B; eauto. }
  induction H; intro K.
  - pose proof (see_goes _ _ _ (vals st) K H) as G. apply Cons; [eapply after_ask; eauto|apply IHrun, G].
  - pose proof (write_goes _ _ _ _ _ K H) as G. apply Cons; [eapply after_ask; eauto|apply IHrun, G].
  - destruct (fork_goes _ _ _ _ _ _ K H) as (Gq & Gk & _). apply Cons.
    + intros x Ax y b I. apply in_app_or in I. destruct I as [I|I]; [exact (after_ask _ _ _ _ _ _ _ _ Gq H0 x Ax y b I)|exact (after_ask _ _ _ _ _ _ _ _ Gk H1 x Ax y b I)].
    + apply App; [apply IHrun1, Gq|apply IHrun2, Gk|]. intros p x I. eapply after_fork; eauto.
  - pose proof (join_goes _ _ _ _ (snd (joins st (of g l))) (told st (of g l)) (results (of g l)) K H) as G. apply Cons; [eapply after_ask; eauto|apply IHrun, G].
  - pose proof (drop_goes _ _ _ _ (results (of g l)) K H) as G. apply Cons; [eapply after_ask; eauto|apply IHrun, G].
  - rewrite <- (app_nil_r (asked w s)). apply Cons; [intros ? _ ? ? []|constructor].
Qed.

(** Two runs whose worlds answer alike below a path. Below it their journals are the same; if either goes on, both do,
    and the first that is asked at the path or after it is the same in both. *)
Definition cut (p : path) (j j' : list (path * W)) := exists c q a a' d d', j = c ++ (q, a) :: d /\ j' = c ++ (q, a') :: d' /\
  (forall x b, In (x, b) c -> before x p) /\ upto p q /\ behind q d /\ behind q d'.
Definition alike (p : path) (w w' : world) := forall q, before q p -> w q = w' q.

Lemma cut_later p x j j' : (forall q a, In (q, a) x -> before q p) -> cut p j j' -> cut p (x ++ j) (x ++ j').
Proof.
  intros H (c & q & a & a' & d & d' & -> & -> & C & U & D & D'). exists (x ++ c), q, a, a', d, d'.
  rewrite <- !app_assoc. repeat split; auto. intros y b I. apply in_app_or in I. destruct I; eauto.
Qed.
Lemma cut_sooner p j j' x x' : (forall q a, In (q, a) j -> behind q x) -> (forall q a, In (q, a) j' -> behind q x') ->
  cut p j j' -> cut p (j ++ x) (j' ++ x').
Proof.
  intros X X' (c & q & a & a' & d & d' & -> & -> & C & U & D & D'). exists c, q, a, a', (d ++ x), (d' ++ x').
  rewrite <- !app_assoc. repeat split; auto; intros y b I; apply in_app_or in I; destruct I as [I|I]; eauto.
  - eapply (X q a); eauto. apply in_or_app; right; left; auto.
  - eapply (X' q a'); eauto. apply in_or_app; right; left; auto.
Qed.

Lemma both_ways p w w' s st l j st' r : run w s st l j st' r -> ok s -> alike p w w' -> forall j' st2 r2, run w' s st l j' st2 r2 ->
  (j = j' /\ st' = st2 /\ r = r2 /\ forall q a, In (q, a) j -> before q p) \/ cut p j j'.
Proof.
  intros H K Al. revert K.
  (* where something is asked at the path or after it, that is where they part *)
  assert (Part : forall s x, ok s -> asks s = Some x -> upto p x -> forall j st l st' r j' st2 r2 l2 st3,
     run w s st l j st' r -> run w' s st3 l2 j' st2 r2 -> cut p j j').
  { intros s0 x K0 A U j0 st0 l0 st0' r0 j1 st2 r2 l2 st3 R1 R2.
    destruct (first_asked _ _ _ _ _ _ _ R1 K0) as (d & -> & B), (first_asked _ _ _ _ _ _ _ R2 K0) as (d' & -> & B').
    unfold asked. rewrite A. exists [], x, (w x), (w' x), d, d'. repeat split; auto. intros ? ? []. }
  assert (Which : forall s, (asks s = None \/ exists x, asks s = Some x /\ before x p) \/ exists x, asks s = Some x /\ upto p x).
  { intro s0. destruct (asks s0) as [x|] eqn:Ax; [|auto]. destruct (before_dec x p); [left; right; eauto|right; eauto]. }
  assert (Go : forall s, (asks s = None \/ exists x, asks s = Some x /\ before x p) ->
     act w' s = act w s /\ asked w' s = asked w s /\ forall y b, In (y, b) (asked w s) -> before y p).
  { intros s0 L. split; [|split].
    - apply act_local. intros y Ay. symmetry. apply Al. destruct L as [L|(x & L & B)]; congruence.
    - unfold asked. destruct L as [->|(x & -> & B)]; auto. now rewrite (Al x B).
    - intros y b I. apply asked_in in I. destruct I as [I _]. destruct L as [L|(x & L & B)]; congruence. }
  induction H as [s st l k j st' r A H IH|s st l p0 v k j st' r A H IH|s st l g n q k jq stq rq j st' r A H1 IH1 H2 IH2|
                  s st l g k j st' r A H IH|s st l g k j st' r A H IH|s st r A]; intros K j' st2 r2 H';
    (destruct (Which s) as [L|(x & Ax & U)]; [|right; eapply (Part s x K Ax U _ st); [econstructor; eassumption|exact H']]);
    destruct (Go s L) as (Sa & Sk & Less); rewrite A in Sa; inversion H'; subst; try congruence;
    match goal with B : act w' s = _ |- _ => rewrite Sa in B; inversion B; subst; clear B end; rewrite Sk.
  6: { left. auto. }
  1: specialize (IH (proj1 (see_goes _ _ _ (vals st) K A))).
  2: specialize (IH (proj1 (write_goes _ _ _ _ _ K A))).
  4: specialize (IH (proj1 (join_goes _ _ _ _ (snd (joins st (of g0 l))) (told st (of g0 l)) (results (of g0 l)) K A))).
  5: specialize (IH (proj1 (drop_goes _ _ _ _ (results (of g0 l)) K A))).
  1, 2, 4, 5: match goal with X : run _ _ _ _ ?j0 _ _ |- context [_ ++ ?j0] =>
      destruct (IH _ _ _ X) as [(-> & -> & -> & C)|C]; [left|right; apply cut_later; auto] end;
    repeat split; auto; intros y b I; apply in_app_or in I; destruct I; eauto.
  destruct (fork_goes _ _ _ _ _ _ K A) as ((Kq & _) & (Kk & _) & _).
  match goal with K1 : run w' ?q (tick _) [] ?jq0 ?stq0 ?rq0, K2 : run w' ?k (tick _) (_ ++ _) ?j0 _ _ |- _ =>
    destruct (IH1 Kq _ _ _ K1) as [(-> & -> & -> & C)|C];
    [destruct (IH2 Kk _ _ _ K2) as [(-> & -> & -> & D)|D];
      [left; repeat split; auto; intros y b I; apply in_app_or in I; destruct I as [I|I]; eauto; apply in_app_or in I; destruct I; eauto
      |right; apply cut_later; auto; apply cut_later; auto]
    |right; apply cut_later; auto; apply cut_sooner; auto;
      intros y b I; [exact (after_fork _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ K A H1 H2 _ _ I)
                    |exact (after_fork _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ K Sa K1 K2 _ _ I)]] end.
Qed.

(** J16: a run that is given the entries below a path goes as before up to the path, whatever the world answers there and after:
    both runs come to the same, or both ask the same next, at the path or after it. Nothing else was asked before it. *)
Theorem consistent_cut p w w' s st j st' r j' st2 r2 : ok s -> run w s st [] j st' r -> alike p w w' -> run w' s st [] j' st2 r2 ->
  (j = j' /\ st' = st2 /\ r = r2) \/ cut p j j'.
Proof.
  intros K H Al H'. destruct (both_ways p w w' s st [] j st' r H K Al j' st2 r2 H') as [(A & B & C & _)|C]; auto.
Qed.
End Replay.
