(* The interpreter of Scripted.v as a port: level 0 of spec/INTERPRETING.md. This file reads requests and writes answers;
   what a graph means is in interpreter.ml, which Coq wrote. *)

(* ------------------------------------------------------------------ JSON: texts are lists of code points *)
type json = Nothing | Bool of bool | Number of int | String of int list | Array of json list | Object of (string * json) list

exception Skip of string
exception Unknown of string
let skip fmt = Printf.ksprintf (fun why -> raise (Skip why)) fmt

let utf8 codes =
  let b = Buffer.create 16 in
  let byte n = Buffer.add_char b (Char.chr n) in
  let more c shift = byte (0x80 lor ((c lsr shift) land 0x3F)) in
  let one c =
    if c < 0x80 then byte c
    else if c < 0x800 then (byte (0xC0 lor (c lsr 6)); more c 0)
    else if c < 0x10000 then (byte (0xE0 lor (c lsr 12)); more c 6; more c 0)
    else (byte (0xF0 lor (c lsr 18)); more c 12; more c 6; more c 0) in
  List.iter one codes;
  Buffer.contents b

let read (s : string) : json =
  let at = ref 0 in
  let peek () = if !at < String.length s then s.[!at] else failwith "the line ends too early" in
  let rec blank () = match peek () with ' ' | '\t' | '\n' | '\r' -> incr at; blank () | _ -> () | exception Failure _ -> () in
  let expect word =
    let n = String.length word in
    if !at + n <= String.length s && String.sub s !at n = word then at := !at + n else failwith ("expected " ^ word) in
  let hex () = let v = int_of_string ("0x" ^ String.sub s !at 4) in at := !at + 4; v in
  let escape () =
    let c = peek () in
    incr at;
    match c with
    | 'n' -> 10 | 't' -> 9 | 'r' -> 13 | 'b' -> 8 | 'f' -> 12
    | 'u' ->
      let high = hex () in
      let pair = high land 0xFC00 = 0xD800 && !at + 6 <= String.length s && String.sub s !at 2 = "\\u" in
      let low = if pair then int_of_string ("0x" ^ String.sub s (!at + 2) 4) else 0 in
      if low land 0xFC00 = 0xDC00 then (at := !at + 6; 0x10000 + ((high land 0x3FF) lsl 10) + (low land 0x3FF)) else high
    | c -> Char.code c in
  let rec text found =
    match peek () with
    | '"' -> incr at; List.rev found
    | '\\' -> incr at; let c = escape () in text (c :: found)
    | _ ->
      let lead = Char.code s.[!at] in
      let more = if lead < 0x80 then 0 else if lead < 0xE0 then 1 else if lead < 0xF0 then 2 else 3 in
      let start = if more = 0 then lead else lead land (0x3F lsr more) in
      let c = List.fold_left (fun c i -> (c lsl 6) lor (Char.code s.[!at + i] land 0x3F)) start (List.init more succ) in
      at := !at + more + 1;
      text (c :: found) in
  let rec value () =
    blank ();
    match peek () with
    | '{' -> incr at; Object (items '}' (fun () -> blank (); expect "\""; let k = utf8 (text []) in blank (); expect ":"; (k, value ())))
    | '[' -> incr at; Array (items ']' value)
    | '"' -> incr at; String (text [])
    | 't' -> expect "true"; Bool true
    | 'f' -> expect "false"; Bool false
    | 'n' -> expect "null"; Nothing
    | _ ->
      let b = !at in
      while (match peek () with '-' | '+' | '.' | 'e' | 'E' | '0' .. '9' -> true | _ -> false | exception Failure _ -> false) do incr at done;
      let word = String.sub s b (!at - b) in
      (match int_of_string_opt word with Some n -> Number n | None -> skip "the number %s" word)
  and items : 'a. char -> (unit -> 'a) -> 'a list = fun close item ->
    blank ();
    if peek () = close then (incr at; []) else
    let rec go found =
      let found = item () :: found in
      blank ();
      let c = peek () in
      incr at;
      if c = ',' then go found else if c = close then List.rev found else failwith "expected , or the end" in
    go [] in
  let found = value () in
  blank ();
  if !at < String.length s then failwith "more than one value in a line" else found

let quoted codes =
  let b = Buffer.create 16 in
  let unit_ c = Printf.bprintf b "\\u%04x" c in
  let one c =
    if c = 34 || c = 92 then (Buffer.add_char b '\\'; Buffer.add_char b (Char.chr c))
    else if c >= 32 && c < 127 then Buffer.add_char b (Char.chr c)
    else if c >= 0x10000 then (unit_ (0xD800 lor ((c - 0x10000) lsr 10)); unit_ (0xDC00 lor ((c - 0x10000) land 0x3FF)))
    else unit_ c in
  List.iter one codes;
  "\"" ^ Buffer.contents b ^ "\""
(* A name is UTF-8 already. *)
let named s =
  let b = Buffer.create 16 in
  let one c =
    if c = '"' || c = '\\' then (Buffer.add_char b '\\'; Buffer.add_char b c)
    else if c < ' ' then Printf.bprintf b "\\u%04x" (Char.code c)
    else Buffer.add_char b c in
  String.iter one s;
  "\"" ^ Buffer.contents b ^ "\""

let field key = function Object l -> (try List.assoc key l with Not_found -> Nothing) | _ -> Nothing
let list = function Array l -> l | Nothing -> [] | _ -> skip "something else where a list was expected"
let name_of = function String l -> utf8 l | _ -> skip "something else where a name was expected"
let codes s = List.init (String.length s) (fun i -> Char.code s.[i])
let number = function Number n -> n | Nothing -> 0 | _ -> skip "something else where a number was expected"

(* ------------------------------------------------------------------ graphs, as Scripted.v has them *)
open Interpreter

let rec value = function
  | Nothing -> Null | Bool b -> Truth b | Number n -> Int n | String l -> Text l | Array l -> Items (List.map value l)
  | Object _ -> skip "a value that is an object"
let rec written = function
  | Null -> "null" | Truth b -> string_of_bool b | Int z -> string_of_int z | Text l -> quoted l
  | Items l -> "[" ^ String.concat "," (List.map written l) ^ "]"

let place what names name =
  let rec go i = function [] -> raise (Unknown (Printf.sprintf "no %s %s" what name)) | n :: l -> if n = name then i else go (i + 1) l in
  go 0 names

(* INTERPRETING 4: data inputs with shape, default and whether eager; data outputs; exec outputs; whether it discards. *)
let of_type = function
  | "script.exec" -> ([ "a", Any, Some Null, true; "life", Any, Some Null, true; "b", Any, Some Null, false ],
                      [ "x"; "y"; "item" ], [ "o0"; "o1"; "o2"; "body"; "done" ], false)
  | "script.endless" -> ([ "a", Any, Some Null, true; "b", Any, Some Null, false ], [ "x"; "y"; "item" ], [ "o0"; "o1"; "o2"; "body" ], true)
  | "script.strict" -> ([ "n", AnInt, None, true; "m", AnInt, None, false ], [ "x"; "y" ], [ "o0"; "o1"; "o2" ], false)
  | "script.data" | "script.volatile" ->
    (List.map (fun (i, eager) -> (i, Any, Some Null, eager)) [ "a", true; "b", true; "c", false; "d", false ], [ "x"; "y" ], [], false)
  | "script.number" -> ([ "n", AnInt, None, true ], [ "x" ], [], false)
  | "script.text" -> ([ "t", AText, Some (Text []), true ], [ "x" ], [], false)
  | other -> skip "nodes of the type %s" other
let outputs_of (_, outputs, _, _) = outputs and ways_of (_, _, ways, _) = ways
let merge_of = function
  | "last" -> By_last | "first" -> By_first | "error" -> By_error | "sum" -> By_sum | "append" -> By_append | "union" -> By_union
  | "min" -> By_min | "max" -> By_max | other -> skip "the policy %s" other
let shape_of = function
  | Nothing -> Any
  | said -> (match name_of said with
      | "any" -> Any | "int" -> AnInt | "text" | "str" -> AText | "list" -> AList | "bool" -> ATruth | other -> skip "variables of the type %s" other)

let parts endpoint =
  let s = name_of endpoint in
  let dot = String.rindex s '.' in
  (String.sub s 0 dot, String.sub s (dot + 1) (String.length s - dot - 1))

let graph request =
  let doc, options = field "graph" request, field "options" request in
  if field "events" doc <> Nothing && list (field "events" doc) <> [] then skip "custom events";
  List.iter (fun o -> if field o options <> Nothing then skip "the option %s" o) [ "max_steps"; "max_depth"; "max_nesting"; "max_strands"; "timeout" ];
  if field "kind" doc <> Nothing && name_of (field "kind" doc) = "workflow" then skip "workflows";
  let documents = list (field "nodes" doc) in
  let ids = List.map (fun n -> name_of (field "id" n)) documents in
  let types = List.map (fun n -> of_type (name_of (field "type" n))) documents in
  let type_of id = List.nth types (place "node" ids id) in
  let inputs_of (inputs, _, _, _) = List.map (fun (i, _, _, _) -> i) inputs in
  let wires = List.map (fun c -> (parts (field "from" c), parts (field "to" c))) (List.filter (fun c -> field "enabled" c <> Bool false) (list (field "connections" doc))) in
  let declared = list (field "variables" doc) in
  let var_names = List.map (fun v -> name_of (field "name" v)) declared in
  let keys = ref [] in
  let key k = if not (List.mem k !keys) then keys := !keys @ [ k ]; place "key" !keys k in
  let node index n =
    let id = List.nth ids index and (inputs, outputs, ways, discards) as kind = List.nth types index in
    let literals = field "inputs" n in
    if field "life" literals <> Nothing then skip "life";
    let way s = place "exec output" ways (name_of s) and out s = place "output" outputs (name_of s) and var s = place "variable" var_names (name_of s) in
    let input s = place "input" (inputs_of kind) (name_of s) in
    let rec ops l = List.map (fun o -> op (list o)) (list l)
    and op o = try known o with Unknown _ -> OFail (* T4: it fails where it is performed *)
    and known = function
      | [] -> skip "an operation without a name"
      | name :: given -> (match name_of name, given with
        | "const", [ v ] -> OConst (value v) | "add", [ k ] -> OAdd (number k) | "mul", [ k ] -> OMul (number k)
        | "keep", [] -> OKeep | "mix", [] -> OMix | "get", [ i ] -> OGet (input i) | "tryget", [ i; v ] -> OTryGet (input i, value v)
        | "set", [ o ] -> OSet (out o) | "getvar", [ v ] -> OGetVar (var v) | "setvar", [ v ] -> OSetVar (var v)
        | "addvar", [ v ] -> OAddVar (var v) | "appendvar", [ v ] -> OAppendVar (var v)
        | "getstate", [ k ] -> OGetState (key (name_of k)) | "setstate", [ k ] -> OSetState (key (name_of k))
        | "trigger", [ w ] -> OTrigger (way w, []) | "trigger", [ w; outs ] -> OTrigger (way w, List.map out (list outs))
        | "emit", [] -> if List.mem "body" ways then OEmit else OFail
        | "join", [] -> OJoin | "branches", [ ws; b ] -> OBranches (List.map way (list ws), ops b)
        | "loop", [ n; b ] -> OLoop (number n, ops b) | "if", [ a; b ] -> OIf (ops a, ops b) | "return", [ w ] -> OReturn (way w)
        | "entered", [] -> OEntered | "feedback", [] -> OFeedback
        | "payload", [] -> OConst Null (* nobody handles an event here *) | "failures", [] -> OConst (Int 0) (* and nothing fails *)
        | other, _ -> skip "the operation %s" other) in
    let targets w =
      List.filter_map (fun ((a, o), (b, i)) -> if a = id && o = w then Some (place "node" ids b, Text (codes i)) else None) wires in
    let per_way = List.map targets ways in
    let stream = field id (field "streams" options) in
    let setting name = match field name stream with Nothing -> field name (field "stream" n) | said -> said in
    let source i =
      match List.find_opt (fun (_, t) -> t = (id, i)) wires with
      | Some ((a, o), _) -> Some (place "node" ids a, place "output" (outputs_of (type_of a)) o)
      | None -> None in
    let given i default = match literals with Object l when List.mem_assoc i l -> Some (value (List.assoc i l)) | _ -> default in
    { is_data = ways = []; script = ops (field "script" literals);
      inputs = List.map (fun (i, kind, default, eager) -> { source = source i; given = given i default; kind; eager }) inputs;
      ways = (fun w -> List.nth per_way w);
      concurrent = List.mem "body" ways && (match setting "mode" with Nothing -> false | m -> name_of m = "concurrent");
      limit = number (setting "limit"); discards;
      body = 3; done_socket = (if List.mem "done" ways then Some 4 else None); item = 2 } in
  let start v =
    match field "variables" request, name_of (field "name" v) with
    | Object l, name when List.mem_assoc name l -> value (List.assoc name l)
    | _ -> value (field "default" v) in
  let nodes = List.mapi node documents in
  let marked = List.mapi (fun i n -> if field "initiator" n = Bool true then [ i ] else []) documents in
  let g = { nodes; initiators = List.concat marked; sockets = 3; keys = List.length !keys;
            variables = List.map (fun v -> { policy_name = (match field "merge" v with Nothing -> By_last | m -> merge_of (name_of m));
                                             var_type = shape_of (field "type" v); start_value = start v }) declared } in
  (g, ids, types, var_names, field "parallel_initiators" options = Bool true)

(* ------------------------------------------------------------------ the conversation *)
let most_steps = 5_000_000

(* The canonical trace (INTERPRETING 6), but for evaluations; for tests, since no level that the port claims asks for it. *)
let with_canonical = Array.exists (( = ) "--canonical") Sys.argv

let array l = "[" ^ String.concat "," l ^ "]"
let path p = array (List.map string_of_int p)
(* By path, then by what is told; of one path in the order in which it was told. *)
let by_path l = List.stable_sort (fun (p, _) (q, _) -> compare p q) l

let canonical ids types var_names said =
  let told choose = array (List.map snd (by_path (List.filter_map (fun (p, e) -> Option.map (fun t -> (p, t)) (choose p e)) said))) in
  let way n = function Some w -> named (List.nth (ways_of (List.nth types n)) w) | None -> "null" in
  let sorted choose =
    let rows = List.concat_map (fun (p, e) -> match choose e with Some word -> [ (p, word) ] | None -> [] ) said in
    array (List.map (fun (p, word) -> array [ path p; named word ]) (List.sort compare rows)) in
  Printf.sprintf {|{"activations":%s,"feedback":%s,"strands":%s,"conflicts":%s,"evaluations":[]}|}
    (told (fun p -> function
       | Completed (n, entered, handed) -> Some (array [ path p; named (List.nth ids n); written entered; "\"completed\""; way n handed ])
       | _ -> None))
    (told (fun p -> function Fed v -> Some (array [ path p; written v ]) | _ -> None))
    (sorted (function Forked -> Some "forked" | Joined -> Some "joined" | _ -> None))
    (sorted (function Conflict v -> Some (List.nth var_names v) | _ -> None))

let answer request =
  if number (field "level" request) <> 0 then skip "level %d" (number (field "level" request));
  let g, ids, types, var_names, parallel = graph request in
  match in_place g parallel most_steps with
  | None -> skip "it fails, or takes more than %d steps" most_steps
  | Some (store, (_, said)) ->
    let here p = Option.map snd (store.cells p) in
    let pairs l = "{" ^ String.concat "," (List.map (fun (k, v) -> named k ^ ":" ^ v) l) ^ "}" in
    let vars = List.mapi (fun v name -> (name, match here (Var v) with Some x -> written x | None -> "null")) var_names in
    let outs n id =
      if (List.nth g.nodes n).is_data then [] else
      let socket o name = match here (Out (n, o)) with Some x -> [ (name, written x) ] | None -> [] in
      match List.concat (List.mapi socket (outputs_of (List.nth types n))) with [] -> [] | l -> [ (id, pairs l) ] in
    let fed = by_path (List.filter_map (function p, Fed v -> Some (p, v) | _ -> None) said) in
    Printf.sprintf {|"type":"result","status":"completed","errors":[],"problems":[],"life":[],"variables":%s,"outputs":%s,"feedback":%s%s|}
      (pairs vars) (pairs (List.concat (List.mapi outs ids))) (array (List.map (fun (p, v) -> array [ path p; written v ]) fed))
      (if with_canonical then {|,"canonical":|} ^ canonical ids types var_names said else "")

let started =
  {|"type":"started","contract":"2.1","name":"proved","language":"Coq","level":0,"capabilities":["core","data","state","fork","stream"]|}

let rec serve () =
  match read_line () with
  | exception End_of_file -> ()
  | line ->
    let request = try read line with Skip _ | Failure _ | Invalid_argument _ -> Nothing in
    let kind = try name_of (field "type" request) with Skip _ -> "" in
    if kind <> "stop" then begin
      let told =
        if kind = "start" then started else
        try if request = Nothing then ignore (read line); answer request with
        | Skip why | Unknown why -> {|"type":"skipped","reason":|} ^ named ("not claimed: " ^ why)
        | Failure why | Invalid_argument why -> {|"type":"error","message":|} ^ named why
        | Stack_overflow -> {|"type":"error","message":"the stack overflowed"|} in
      let id = match field "id" request with Number n -> Printf.sprintf {|,"id":%d|} n | _ -> "" in
      Printf.printf "{%s%s}\n%!" told id;
      serve ()
    end

let () = serve ()
