(** The interpreter of Scripted.v as a program. Numbers become machine integers: those of graphs are small (INTERPRETING 3). *)
From TF Require Import Core Scripted.
Require Extraction.
Require Import ExtrOcamlBasic ExtrOcamlNatInt ExtrOcamlZInt.
Extraction Language OCaml.
Extraction "interpreter.ml" in_place.
