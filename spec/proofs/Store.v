(** Stores, and what a join makes of them: F3 and F4 of spec/rules/fork.md, word for word.

    A store holds, at each place (an output, a variable, a value of a node's state), a value and the stamp at which it
    counts as written. Here a store counts its stamps by itself; that the numbers of the whole run, of which F3 speaks,
    lead to the same is proved in Stamps.v. *)
From Coq Require Import List Arith Lia Bool.
Import ListNotations.
Set Implicit Arguments.

(** F4: how a place is merged that both sides have changed. [Stamp] is for outputs and state, the others for variables;
    [Make f] makes a value of base, mine and theirs, or fails. The policy [error] is [Make (fun _ _ _ => None)]. *)
Inductive policy (V : Type) := Stamp | Last | First | Make (f : V -> V -> V -> option V).
Arguments Stamp {V}. Arguments Last {V}. Arguments First {V}.

Section Store.
Variables (P V : Type).                          (* places, values *)
Variable P_dec : forall a b : P, {a = b} + {a <> b}.
Variable policy_of : P -> policy V.
Variable places : list P.                        (* all that there are *)

Definition entry := (nat * V)%type.              (* the stamp at which it counts as written (F3), the value *)
Record store := { cells : P -> option entry; clock : nat }.

(** What a body sees of a store: the values. *)
Definition vals (st : store) (p : P) : option V := option_map snd (cells st p).
(** A fork takes a stamp, and so does a write (F3, D9). *)
Definition tick (st : store) := {| cells := cells st; clock := S (clock st) |}.
Definition upd (c : P -> option entry) p e : P -> option entry := fun q => if P_dec p q then e else c q.
Definition write (st : store) p v :=
  {| cells := upd (cells st) p (Some (clock st, v)); clock := S (clock st) |}.

(** F4: whether values are equal is never asked, only whether it is the same write. *)
Definition same (a b : option entry) : bool :=
  match a, b with
  | None, None => true
  | Some (x, _), Some (y, _) => Nat.eqb x y
  | _, _ => false
  end.

(** F3, "any other place": the fork's cell, unless what the owner has there is younger than the fork. *)
Definition by_stamp (born : nat) (mine : option entry) (their : V) : option entry :=
  match mine with
  | Some (x, v) => if x <? born then Some (born, their) else Some (x, v)
  | None => Some (born, their)
  end.

(** F3, F4: what a join makes of one place; [None]: the merge fails. *)
Definition merged (w : policy V) (born : nat) (base mine theirs : option entry) : option (option entry) :=
  if same theirs base then Some mine else        (* the fork did not write it *)
  match theirs with
  | None => Some mine
  | Some (_, t) =>
      match w, base, mine with
      | Stamp, _, _ => Some (by_stamp born mine t)
      | _, Some (bs, bv), Some (ms, mv) =>
          if Nat.eqb ms bs then Some (by_stamp born mine t) else      (* only the fork has changed it *)
          match w with
          | Last => Some (if born <? ms then mine else Some (born, t))
          | First => Some (if born <? ms then Some (born, t) else mine)
          | Make f => match f bv mv t with Some v => Some (Some (born, v)) | None => None end
          | Stamp => Some mine
          end
      | _, _, _ => Some (by_stamp born mine t)
      end
  end.

(** F3: the join of one fork. [base] is the owner's store at the moment of the fork; its clock is the fork's stamp.
    F4: a join that fails merges nothing of its fork. *)
Definition table (base mine theirs : store) : list (P * option (option entry)) :=
  map (fun p => (p, merged (policy_of p) (clock base) (cells base p) (cells mine p) (cells theirs p))) places.
Fixpoint find (p : P) (l : list (P * option (option entry))) : option (option (option entry)) :=
  match l with [] => None | (q, x) :: l' => if P_dec p q then Some x else find p l' end.
Definition failed (x : P * option (option entry)) : bool := match snd x with None => true | Some _ => false end.
Definition join1 (base mine theirs : store) : option store :=
  let l := table base mine theirs in
  if existsb failed l then None else
  Some {| cells := fun p => match find p l with Some (Some e) => e | _ => cells mine p end; clock := clock mine |}.

(** F4: under [Last], where both sides have changed a variable, one value is lost, and that is told. *)
Definition lost (w : policy V) (base mine theirs : option entry) : bool :=
  match w, base, mine, theirs with
  | Last, Some (bs, _), Some (ms, _), Some _ => negb (same theirs base) && negb (Nat.eqb ms bs)
  | _, _, _, _ => false
  end.
Definition conflicts (base mine theirs : store) : list P :=
  filter (fun p => lost (policy_of p) (cells base p) (cells mine p) (cells theirs p)) places.

Section Joins.
Variable R : Type.                               (* what a strand ends with *)
(** An ended fork: its owner's store at the fork, its own at its end, what it ended with. *)
Definition ended_fork := (store * store * R)%type.
(** F3: forks are joined in the order in which they were made. F4: one that fails ends it, those before stay. *)
Fixpoint joins (st : store) (l : list ended_fork) : store * bool :=
  match l with
  | [] => (st, true)
  | (base, fin, _) :: rest =>
      match join1 base st fin with Some st' => joins st' rest | None => (st, false) end
  end.
Definition results (l : list ended_fork) : list R := map snd l.
(** F4: the conflicts that are told at a join, fork by fork; of one that fails nothing is told, nor of those after it. *)
Fixpoint told (st : store) (l : list ended_fork) : list (list P) :=
  match l with
  | [] => []
  | (base, fin, _) :: rest =>
      match join1 base st fin with Some st' => conflicts base st fin :: told st' rest | None => [] end
  end.
End Joins.
End Store.
