(** The scripted nodes (spec/INTERPRETING.md, 4 and 5) as strands of Core.v, and an interpreter of them that is proved to
    give what every schedule gives. Extracted, it is the port of port/.

    Left out: evaluations as they are told, catching failures, time, custom events, setup and teardown, limits of the run, validation, actions. A script
    that fails is a strand that fails ([Fail]); for a run with one in it the interpreter gives nothing. *)
From Coq Require Import List Arith Lia Bool ZArith.
From TF Require Import Core.
Import ListNotations.

(* ------------------------------------------------------------------ values *)
(** A text is the list of its code points. *)
Inductive value := Null | Truth (b : bool) | Int (z : Z) | Text (l : list nat) | Items (l : list value).
Definition modulus := 1000003%Z.
Definition num (v : value) : Z :=
  match v with
  | Null => 0 | Truth b => if b then 1 else 0 | Int z => z
  | Text l => Z.of_nat (length l) | Items l => Z.of_nat (length l)
  end%Z.
Definition int (z : Z) : value := Int (z mod modulus)%Z.

(** F4: equal, and of the same types at every depth. *)
Fixpoint veq (a b : value) : bool :=
  match a, b with
  | Null, Null => true
  | Truth x, Truth y => Bool.eqb x y
  | Int x, Int y => Z.eqb x y
  | Text l, Text m => if list_eq_dec Nat.eq_dec l m then true else false
  | Items l, Items m => (fix eqs l m := match l, m with
      | [], [] => true | x :: l', y :: m' => veq x y && eqs l' m' | _, _ => false end) l m
  | _, _ => false
  end.

Inductive shape := Any | AnInt | AText | AList | ATruth.
(** D11: a value that crosses a wire, or is written to a variable; [null] is for the caller. *)
Definition fits (t : shape) (v : value) : bool :=
  match t, v with
  | Any, _ | AnInt, Int _ | AText, Text _ | AList, Items _ | ATruth, Truth _ => true | _, _ => false end.

(* ------------------------------------------------------------------ policies (F4) *)
Definition sum (b m t : value) : option value :=
  match b, m, t with Int x, Int y, Int z => Some (Int (y + (z - x))%Z) | _, _, _ => None end.
Section Strip.
Variables (A : Type) (eqb : A -> A -> bool).
Fixpoint strip (b t : list A) : option (list A) :=
  match b, t with [], _ => Some t | x :: b', y :: t' => if eqb x y then strip b' t' else None | _, _ => None end.
End Strip.
Definition append (b m t : value) : option value :=
  match b, m, t with
  | Items b, Items m, Items t => option_map (fun r => Items (m ++ r)) (strip _ veq b t)
  | Text b, Text m, Text t => option_map (fun r => Text (m ++ r)) (strip _ Nat.eqb b t)
  | _, _, _ => None end.
Definition union (_ m t : value) : option value :=
  match m, t with
  | Items m, Items t => Some (Items (fold_left (fun f x => if existsb (veq x) f then f else f ++ [x]) (m ++ t) []))
  | _, _ => None end.
(** Texts by code points. *)
Fixpoint before (l m : list nat) : bool :=
  match l, m with
  | [], _ :: _ => true | _, [] => false | x :: l', y :: m' => (x <? y) || ((x =? y) && before l' m') end.
Definition least (_ m t : value) : option value :=
  match m, t with
  | Int x, Int y => Some (Int (Z.min x y)) | Text l, Text k => Some (Text (if before k l then k else l)) | _, _ => None end.
Definition most (_ m t : value) : option value :=
  match m, t with
  | Int x, Int y => Some (Int (Z.max x y)) | Text l, Text k => Some (Text (if before l k then k else l)) | _, _ => None end.
Inductive merge := by_last | by_first | by_error | by_sum | by_append | by_union | by_min | by_max.
Definition the_policy (m : merge) : policy value :=
  match m with
  | by_last => Last | by_first => First | by_error => Make (fun _ _ _ => None) | by_sum => Make sum
  | by_append => Make append | by_union => Make union | by_min => Make least | by_max => Make most end.

(* ------------------------------------------------------------------ graphs *)
Inductive place := Out (node socket : nat) | Var (v : nat) | State (node key : nat).
Definition place_dec (a b : place) : {a = b} + {a <> b}.
Proof. decide equality; apply Nat.eq_dec. Defined.

Inductive op :=
| OConst (v : value) | OAdd (z : Z) | OMul (z : Z) | OKeep | OMix
| OGet (i : nat) | OTryGet (i : nat) (v : value) | OSet (o : nat)
| OGetVar (v : nat) | OSetVar (v : nat) | OAddVar (v : nat) | OAppendVar (v : nat)
| OGetState (k : nat) | OSetState (k : nat)
| OTrigger (way : nat) (outs : list nat) | OEmit | OJoin | OBranches (ways : list nat) (ops : list op)
| OLoop (n : nat) (ops : list op) | OIf (a b : list op) | OReturn (way : nat) | OEntered | OFeedback
| OFail                                 (* [fail], and whatever names what is not there (T4) *)
(* inside: the second halves of a trigger and of an emit *)
| OGo (way : nat) | OFork.

(** What is dispatched: a node, and the name of the exec input that it is entered through, [Null] for none (T5). *)
Definition target := (nat * value)%type.
(** A connected input: node and output that it reads, or what stands there: a literal, a default, or nothing (D1). *)
Record input := { source : option (nat * nat); given : option value; kind : shape; eager : bool }.
Record node := {
  is_data : bool; script : list op; inputs : list input;
  ways : nat -> list target;             (* M3: in the order of the document *)
  concurrent : bool; limit : nat; discards : bool;        (* S2, S3, S6 *)
  body : nat; done_socket : option nat; item : nat }.            (* S1: the fired output, the done socket, the item output *)
Record variable := { policy_name : merge; var_type : shape; start_value : value }.
Record graph := { nodes : list node; initiators : list nat; variables : list variable; sockets : nat; keys : nat }.

Section Graph.
Variable g : graph.
Definition nowhere := {| is_data := false; script := []; inputs := []; ways := fun _ => []; concurrent := false; limit := 0;
                         discards := false; body := 0; done_socket := None; item := 0 |}.
Definition node_of n := nth n (nodes g) nowhere.
Definition no_input := {| source := None; given := None; kind := Any; eager := false |}.
Definition input_of n i := nth i (inputs (node_of n)) no_input.
Definition var_of v := nth v (variables g) {| policy_name := by_last; var_type := Any; start_value := Null |}.
Definition fits_var v x := match x with Null => true | _ => fits (var_type (var_of v)) x end.

(* ------------------------------------------------------------------ data nodes: functions of what a strand sees (D8) *)
(** What asking for an input gives (D1): a value, nothing, or the failure of an evaluation. *)
Inductive answer := Value (v : value) | Unset | Failed.

Section Data.
Variable see : place -> option value.
Definition var_now v := match see (Var v) with Some x => x | None => Null end.
Definition regs := (value * value * list (nat * value))%type.
Fixpoint lookup (o : nat) (l : list (nat * value)) : option value :=
  match l with [] => None | (o', v) :: l' => if Nat.eqb o o' then Some v else lookup o l' end.
(** D11: what the body gets. A literal or default fits as it stands. *)
Definition handed (i : input) (wired : bool) (a : answer) : answer :=
  match a with Value v => if wired && negb (fits (kind i) v) then Failed else a | _ => a end.
Definition otherwise (i : input) := match given i with Some v => Value v | None => Unset end.
(** D1 to D3, and whether it came over a wire; [fuel]: how many data nodes there can be behind each other. *)
Fixpoint resolve (fuel n i : nat) : bool * answer :=
  let inp := input_of n i in
  match source inp with
  | None => (false, otherwise inp)
  | Some (m, o) =>
      let got :=
        if is_data (node_of m) then
          match fuel with
          | 0 => Some Failed
          | S fuel' =>
              (* D7: eager inputs are resolved first, and stay what they were *)
              let eagers := map (fun j => if eager (input_of m j) then Some (resolve fuel' m j) else None)
                                (seq 0 (length (inputs (node_of m)))) in
              let ready := forallb (fun e => match e with Some (_, Value _) | None => true | _ => false end) eagers in
              let fix one (x : op) (r : option regs) {struct x} : option regs :=
                let fix ops (l : list op) (r : option regs) {struct l} : option regs :=
                  match l with [] => r | x :: l' => ops l' (one x r) end in
                match r with
                | None => None
                | Some (acc, kept, outs) =>
                    let ask (j : nat) (unset : option value) :=
                      let '(wired, a) := match nth j eagers None with Some e => e | None => resolve fuel' m j end in
                      match handed (input_of m j) wired a, unset with
                      | Value v, _ | Unset, Some v => Some (v, kept, outs) | _, _ => None end in
                    match x with
                    | OConst v => Some (v, kept, outs)
                    | OAdd z => Some (int (num acc + z), kept, outs)
                    | OMul z => Some (int (num acc * z), kept, outs)
                    | OKeep => Some (acc, acc, outs)
                    | OMix => Some (int (31 * num kept + num acc), kept, outs)
                    | OGet j => ask j None
                    | OTryGet j v => ask j (Some v)
                    | OSet o => Some (acc, kept, (o, acc) :: outs)
                    | OGetVar v => Some (var_now v, kept, outs)
                    | OLoop k b =>
                        (fix times (j : Z) (left : nat) (r : option regs) {struct left} : option regs :=
                           match left, r with
                           | S left', Some (_, kept, outs) => times (j + 1)%Z left' (ops b (Some (Int j, kept, outs)))
                           | _, _ => r end) 0%Z k r
                    | OIf a b => if Z.eqb (num acc) 0 then ops b r else ops a r
                    | _ => None                                                            (* D8 *)
                    end
                end in
              match (if ready then fold_left (fun r x => one x r) (script (node_of m)) (Some (Null, Int 0%Z, [])) else None) with
              | None => Some Failed
              | Some (_, _, outs) => option_map Value (lookup o outs)
              end
          end
        else option_map Value (see (Out m o))
      in match got with Some a => (true, a) | None => (false, otherwise inp) end
  end.
Definition ask n i : answer := let '(wired, a) := resolve (length (nodes g)) n i in handed (input_of n i) wired a.
(** D7: all eager inputs of a node that is about to start. *)
Definition all_ready n : bool :=
  forallb (fun i => if eager (input_of n i) then
    match snd (resolve (length (nodes g)) n i) with Value _ => true | _ => false end else true)
  (seq 0 (length (inputs (node_of n)))).
End Data.

(* ------------------------------------------------------------------ a strand *)
(** The activation that runs, or nobody: its line (T8), how many indices it has given away, its registers. *)
Record ctx := { c_node : nat; c_in : value; c_path : list nat; c_count : nat; c_acc : value; c_kept : value; c_group : nat;
                c_done : bool }.
Inductive frame :=
| FStart                                                             (* an activation starts: its eager inputs (D7) *)
| FOps (l : list op)
| FLoop (j left : nat) (b : list op)
| FBranch (grp : nat) (l : list (list target)) (inner : list op)    (* to be forked, then the block *)
| FJoin (grp : nat)                                                  (* the end of a block (F5) *)
| FEnd                                                               (* the end of the body (F5) *)
| FDone                                                              (* the end of the activation: it hands over (T6) *)
| FLine (path : list nat) (count : nat) (l : list target) (c : ctx)   (* dispatches on a line of its own, then back to c *)
| FOwn (l : list target) (c : ctx)                                   (* on the activation's own line *)
| FForks (l : list (list nat * list target))                         (* parallel initiators (R2) *)
| FRoot.                                                             (* the end of the run *)
(** What is told (E1, E5), with the path of the activation or of the strand's line, in any order: feedback; an activation, when it has
    completed, with its node, how it was entered, and the exec output that it handed over to; forks, joins and conflicts (F3, F4). *)
Inductive event := Fed (v : value) | Completed (node : nat) (entered : value) (handed : option nat) | Forked | Joined | Conflict (v : nat).
Definition log := list (list nat * event).
(** [line]: the line of the strand (T8). *)
Record state := { cur : ctx; stk : list frame; fresh : nat; ret : option nat; said : log; bad : bool; line : list nat }.

Definition nobody := {| c_node := 0; c_in := Null; c_path := []; c_count := 0; c_acc := Null; c_kept := Int 0; c_group := 0;
                        c_done := false |}.
Definition go (q : state) c s := {| cur := c; stk := s; fresh := fresh q; ret := ret q; said := said q; bad := bad q; line := line q |}.
Definition acc_to (c : ctx) v := {| c_node := c_node c; c_in := c_in c; c_path := c_path c; c_count := c_count c; c_acc := v;
                                    c_kept := c_kept c; c_group := c_group c; c_done := c_done c |}.
Definition keep (c : ctx) := {| c_node := c_node c; c_in := c_in c; c_path := c_path c; c_count := c_count c; c_acc := c_acc c;
                                c_kept := c_acc c; c_group := c_group c; c_done := c_done c |}.
Definition next (c : ctx) := {| c_node := c_node c; c_in := c_in c; c_path := c_path c; c_count := S (c_count c); c_acc := c_acc c;
                                c_kept := c_kept c; c_group := c_group c; c_done := c_done c |}.
Definition fired (c : ctx) := {| c_node := c_node c; c_in := c_in c; c_path := c_path c; c_count := c_count c; c_acc := c_acc c;
                                 c_kept := c_kept c; c_group := c_group c; c_done := true |}.
Definition note (q : state) (p : list nat) (e : event) :=
  {| cur := cur q; stk := stk q; fresh := fresh q; ret := ret q; said := said q ++ [(p, e)]; bad := bad q; line := line q |}.
(** What a strand ends with: its line, and what it has told. *)
Definition res := (list nat * log)%type.
Definition hear (q : state) (l : log) c s :=
  {| cur := c; stk := s; fresh := fresh q; ret := ret q; said := said q ++ l; bad := bad q; line := line q |}.
Definition joined (lost : list place) (r : res) : log :=
  (fst r, Joined) :: flat_map (fun p => match p with Var v => [(fst r, Conflict v)] | _ => [] end) lost ++ snd r.
Definition fail (q : state) := {| cur := cur q; stk := stk q; fresh := fresh q; ret := ret q; said := said q; bad := true; line := line q |}.
Definition child (path : list nat) (l : list target) : state :=
  {| cur := nobody; stk := [FLine path 0 l nobody]; fresh := 1; ret := None; said := []; bad := false; line := path |}.

Definition Act := action place value state res.
Definition tau (q : state) : Act := See (fun _ => q).
(** F4: a join that fails is the owner's failure. *)
Definition join (q : state) (grp : nat) c s : Act := Join grp (fun merged lost rs =>
  if merged then hear q (concat (map (fun x => joined (fst x) (snd x)) (combine lost rs))) c s else fail q).
Definition join_stream (q : state) c s : Act :=
  let n := node_of (c_node c) in
  if negb (concurrent n) then tau (go q c s)
  else if discards n then Drop (c_group c) (fun rs => hear q (concat (map snd rs)) c s)     (* S6 *)
  else join q (c_group c) c s.

Definition enter (q : state) (t : target) (path : list nat) (s : list frame) : state :=
  let '(n, i) := t in
  {| cur := {| c_node := n; c_in := i; c_path := path; c_count := 0; c_acc := Null; c_kept := Int 0;
               c_group := fresh q; c_done := false |};
     stk := FStart :: FOps (script (node_of n)) :: FEnd :: FDone :: s; fresh := S (fresh q); ret := None; said := said q;
     bad := bad q; line := line q |}.

Definition is_done n w := match done_socket (node_of n) with Some d => Nat.eqb w d | None => false end.
Definition perform (q : state) (o : op) (s : list frame) : Act :=
  let c := cur q in
  let n := node_of (c_node c) in
  let set_var v x q' := if fits_var v x then Write (Var v) x q' else tau (fail q) in
  match o with
  | OConst v => tau (go q (acc_to c v) s)
  | OAdd z => tau (go q (acc_to c (int (num (c_acc c) + z))) s)
  | OMul z => tau (go q (acc_to c (int (num (c_acc c) * z))) s)
  | OKeep => tau (go q (keep c) s)
  | OMix => tau (go q (acc_to c (int (31 * num (c_kept c) + num (c_acc c)))) s)
  | OFail => tau (fail q)
  | OGet i => See (fun see => match ask see (c_node c) i with Value v => go q (acc_to c v) s | _ => fail q end)
  | OTryGet i x => See (fun see =>
      match ask see (c_node c) i with Value v => go q (acc_to c v) s | Unset => go q (acc_to c x) s | Failed => fail q end)
  | OSet o => Write (Out (c_node c) o) (c_acc c) (go q c s)
  | OGetVar v => See (fun see => go q (acc_to c (var_now see v)) s)
  | OSetVar v => set_var v (c_acc c) (go q c s)
  | OAddVar v => See (fun see =>       (* acc stays: a register is borrowed *)
      go q (acc_to c (int (num (var_now see v) + num (c_acc c)))) (FOps [OSetVar v; OConst (c_acc c)] :: s))
  | OAppendVar v => See (fun see =>
      let old := match var_now see v with Items l => l | _ => [] end in
      go q (acc_to c (Items (old ++ [c_acc c]))) (FOps [OSetVar v; OConst (c_acc c)] :: s))
  | OGetState k => See (fun see => go q (acc_to c (match see (State (c_node c) k) with Some x => x | None => Null end)) s)
  | OSetState k => Write (State (c_node c) k) (c_acc c) (go q c s)
  | OTrigger w outs => tau (go q c (FOps (map OSet outs ++ (if is_done (c_node c) w then [OJoin] else []) ++ [OGo w]) :: s))
  | OGo w => let c := if is_done (c_node c) w then fired c else c in tau (go q c (FOwn (ways n w) c :: s))
  | OEmit => if concurrent n then tau (go q c (FOps [OSet (item n); OFork] :: s))
             else Write (Out (c_node c) (item n)) (c_acc c)
                    (go q (next c) (FLine (c_path c ++ [c_count c]) 0 (ways n (body n)) (next c) :: s))
  | OFork => let p := c_path c ++ [c_count c] in
      Fork (c_group c) (limit n) (child p (ways n (body n))) (note (go q (next c) s) p Forked)
  | OJoin => join_stream q c s
  | OBranches l b => tau {| cur := c; stk := FBranch (fresh q) (map (ways n) l) b :: s; fresh := S (fresh q); ret := ret q;
                            said := said q; bad := bad q; line := line q |}
  | OLoop k b => tau (go q c (FLoop 0 k b :: s))
  | OIf a b => tau (go q c (FOps (if Z.eqb (num (c_acc c)) 0 then b else a) :: s))
  | OReturn w => tau {| cur := c; stk := s; fresh := fresh q; ret := Some w; said := said q; bad := bad q; line := line q |}
  | OEntered => tau (go q (acc_to c (c_in c)) s)
  | OFeedback => tau (note (go q c s) (c_path c) (Fed (c_acc c)))
  end.

Definition act (q : state) : Act :=
  let c := cur q in
  if bad q then Fail else
  match stk q, ret q with
  | [], _ => Halt (line q, said q)
  | FStart :: s, _ => See (fun see => if all_ready see (c_node c) then go q c s else fail q)
  | FOps _ :: s, Some _ | FLoop _ _ _ :: s, Some _ => tau (go q c s)          (* on its way out *)
  | FOps [] :: s, None => tau (go q c s)
  | FOps (o :: l) :: s, None => perform q o (FOps l :: s)
  | FLoop j 0 b :: s, None => tau (go q c s)
  | FLoop j (S k) b :: s, None => tau (go q (acc_to c (Int (Z.of_nat j))) (FOps b :: FLoop (S j) k b :: s))
  | FBranch grp (l :: ls) b :: s, _ => 
      let p := c_path c ++ [c_count c] in Fork grp 0 (child p l) (note (go q (next c) (FBranch grp ls b :: s)) p Forked)
  | FBranch grp [] b :: s, _ => tau (go q c (FOps b :: FJoin grp :: s))
  | FJoin grp :: s, _ => join q grp c s
  | FEnd :: s, _ => join_stream q c s
  | FDone :: s, way =>
      let way := match way with Some w => Some w | None => if c_done c then None else done_socket (node_of (c_node c)) end in  (* S5 *)
      let more := match way with Some w => ways (node_of (c_node c)) w | None => [] end in                          (* T6 *)
      let s' := match s with
                | FLine p k l c' :: s'' => FLine p k (more ++ l) c' :: s''
                | FOwn l c' :: s'' => FOwn (more ++ l) c' :: s''
                | _ => s end in
      tau {| cur := c; stk := s'; fresh := fresh q; ret := None; bad := bad q; line := line q;
             said := said q ++ [(c_path c, Completed (c_node c) (c_in c) way)] |}
  | FLine p k [] c' :: s, _ => tau (go q c' s)
  | FLine p k (t :: l) c' :: s, _ => tau (enter q t (p ++ [k]) (FLine p (S k) l c' :: s))
  | FOwn [] c' :: s, _ => tau (go q c' s)
  | FOwn (t :: l) c' :: s, _ => tau (enter q t (c_path c' ++ [c_count c']) (FOwn l (next c') :: s))
  | FForks ((p, l) :: ls) :: s, _ => Fork 0 0 (child p l) (note (go q c (FForks ls :: s)) p Forked)
  | FForks [] :: s, _ => tau (go q c s)
  | FRoot :: s, _ => join q 0 c s
  end.

Definition policy_of (p : place) : policy value := match p with Var v => the_policy (policy_name (var_of v)) | _ => Stamp end.
Definition universe : list place := map Var (seq 0 (length (variables g))) ++
  flat_map (fun n => map (Out n) (seq 0 (sockets g)) ++ map (State n) (seq 0 (keys g))) (seq 0 (length (nodes g))).

Fixpoint begin (v : nat) (l : list variable) (st : store place value) : store place value :=
  match l with [] => st | d :: l' => begin (S v) l' (write place_dec st (Var v) (start_value d)) end.
Definition store0 := begin 0 (variables g) {| cells := fun _ => None; clock := 0 |}.
Definition lines := combine (map (fun i => [i]) (seq 0 (length (initiators g)))) (map (fun n => [(n, Null)]) (initiators g)).
Definition state0 (parallel : bool) : state :=
  {| cur := nobody; fresh := 1; ret := None; said := []; bad := false; line := [];
     stk := if parallel then [FForks lines; FRoot] else map (fun x => FLine (fst x) 0 (snd x) nobody) lines |}.
End Graph.

(* ------------------------------------------------------------------ running: in place, and under a drawn schedule *)
Section Run.
Variables (P V Q R : Type) (P_dec : forall a b : P, {a = b} + {a <> b}) (policy_of : P -> policy V) (vars : list P).
Variable act : Q -> action P V Q R.
Notation store := (store P V).
Notation joins := (joins P_dec policy_of vars). Notation told := (told P_dec policy_of vars).

(** The big step of Core.v, as a function. *)
Fixpoint bigf (fuel : nat) (s : Q) (st : store) (l : list (nat * (store * store * R))) : option (store * R) :=
  match fuel with
  | 0 => None
  | S fuel =>
      match act s with
      | See k => bigf fuel (k (vals st)) st l
      | Write p v k => bigf fuel k (write P_dec st p v) l
      | Fork g _ q k =>
          match bigf fuel q (tick st) [] with
          | Some (stq, rq) => bigf fuel k (tick st) (l ++ [(g, (st, stq, rq))])
          | None => None end
      | Join g k => let st' := joins st (of g l) in bigf fuel (k (snd st') (told st (of g l)) (results (of g l))) (fst st') (others g l)
      | Drop g k => bigf fuel (k (results (of g l))) st (others g l)
      | Halt r => match l with [] => Some (st, r) | _ => None end
      | Fail => None
      end
  end.

Lemma bigf_sound fuel : forall s st l st' r, bigf fuel s st l = Some (st', r) -> big P_dec policy_of vars act s st l st' r.
Proof.
  induction fuel as [|fuel IH]; simpl; intros s st l st' r H; [discriminate|].
  destruct (act s) as [k|p v k|g n q k|g k|g k|r0|] eqn:A; [| | | | | |discriminate].
  - eapply b_see; eauto.
  - eapply b_write; eauto.
  - destruct (bigf fuel q (tick st) []) as [[stq rq]|] eqn:E; [|discriminate]. eapply b_fork; eauto.
  - eapply b_join; eauto.
  - eapply b_drop; eauto.
  - destruct l; [|discriminate]. inversion H; subst. now apply b_halt.
Qed.

Notation tree := (tree P V Q).
Notation forest := (forest P V Q).
(** All that may happen next. *)
Fixpoint nexts (t : tree) : list tree :=
  match t with
  | T s st f =>
      (match act s with
       | See k => [T (k (vals st)) st f]
       | Write p v k => [T k (write P_dec st p v) f]
       | Fork g n q k =>
           if (n =? 0) || (live act g f <? n) then [T k (tick st) (snoc f g st (T q (tick st) Nil))] else []
       | Join g k =>
           match take act g f with
           | Some l => [T (k (snd (joins st l)) (told st l) (results l)) (fst (joins st l)) (drop g f)]
           | None => [] end
       | Drop g k => match take act g f with Some l => [T (k (results l)) st (drop g f)] | None => [] end
       | Halt _ | Fail => []
       end) ++ map (T s st) (nextsF f)
  end
with nextsF (f : forest) : list forest :=
  match f with
  | Nil => []
  | Cons g b t f' => map (fun t' => Cons g b t' f') (nexts t) ++ map (Cons g b t) (nextsF f')
  end.

Lemma nexts_sound :
  (forall t t', In t' (nexts t) -> step P_dec policy_of vars act t t') /\
  (forall f f', In f' (nextsF f) -> stepF P_dec policy_of vars act f f').
Proof.
  apply tree_forest_ind.
  - intros s st f IH t' H. simpl in H. apply in_app_or in H. destruct H as [H|H].
    + destruct (act s) as [k|p v k|g n q k|g k|g k|r0|] eqn:A; simpl in H.
      * destruct H as [<-|[]]. now apply s_see.
      * destruct H as [<-|[]]. now apply s_write.
      * destruct (n =? 0) eqn:E0; simpl in H.
        { destruct H as [<-|[]]. eapply s_fork; eauto. left; now apply Nat.eqb_eq. }
        destruct (live act g f <? n) eqn:E1; simpl in H; [|destruct H].
        destruct H as [<-|[]]. eapply s_fork; eauto. right; now apply Nat.ltb_lt.
      * destruct (take act g f) eqn:E; simpl in H; [|destruct H]. destruct H as [<-|[]]. eapply s_join; eauto.
      * destruct (take act g f) eqn:E; simpl in H; [|destruct H]. destruct H as [<-|[]]. eapply s_drop; eauto.
      * destruct H.
      * destruct H.
    + apply in_map_iff in H. destruct H as (f' & <- & H). apply s_child; auto.
  - intros f' [].
  - intros g b t IHt f IHf f' H. simpl in H. apply in_app_or in H.
    destruct H as [H|H]; apply in_map_iff in H; destruct H as (x & <- & H); constructor; auto.
Qed.
End Run.

Definition in_place (g : graph) (parallel : bool) (fuel : nat) :=
  bigf _ _ _ _ place_dec (policy_of g) (universe g) (act g) fuel (state0 g parallel) (store0 g) [].
Definition successors (g : graph) := nexts _ _ _ _ place_dec (policy_of g) (universe g) (act g).
Definition start (g : graph) (parallel : bool) : tree place value state := T (state0 g parallel) (store0 g) Nil.

(** E5: what the interpreter gives is what comes of every schedule of the graph: the store, and all that is told. *)
Theorem in_place_is_every_schedule g parallel fuel st r :
  in_place g parallel fuel = Some (st, r) ->
  forall m q1 st1 f1, steps place_dec (policy_of g) (universe g) (act g) m (start g parallel) (T q1 st1 f1) ->
    final place_dec (policy_of g) (universe g) (act g) (T q1 st1 f1) -> st1 = st /\ f1 = Nil /\ (line q1, said q1) = r.
Proof.
  intros H m q1 st1 f1 W F. apply bigf_sound in H. destruct (every_end H W F) as (-> & -> & E).
  repeat split; auto. unfold act in E. destruct (bad q1); [discriminate|].
  destruct (stk q1) as [|fr s]; [now inversion E|exfalso].
  destruct fr; destruct (ret q1); unfold perform, join_stream, join, tau in E; try discriminate.
  all: repeat (match type of E with context [match ?x with _ => _ end] => destruct x end; try discriminate).
Qed.

(** And what a drawn schedule does ([successors]) is a schedule. *)
Theorem successors_are_steps g t t' : In t' (successors g t) -> step place_dec (policy_of g) (universe g) (act g) t t'.
Proof. apply nexts_sound. Qed.
