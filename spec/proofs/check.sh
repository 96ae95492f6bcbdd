#!/bin/sh
# Checks all proofs, and builds the port. Needs Coq (on Debian: apt-get install --no-install-recommends coq), nothing else, and
# leaves nothing behind but build/. Prints what each main theorem assumes. Exit code 0: all is proved; 1: it is not.
set -e
cd "$(dirname "$0")"
command -v coqc >/dev/null || { echo "coqc not found: install Coq, on Debian by apt-get install --no-install-recommends coq" >&2; exit 1; }

if grep -nE '\b(Admitted|admit|Axioms?|Parameters?|Conjecture|Abort)\b' ./*.v port/*.v; then
    echo "NOT PROVED: these lines admit or assume something" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp ./*.v "$work"
modules=$(grep -E '^[A-Za-z]+\.v$' _CoqProject | sed 's/\.v$//')
for file in ./*.v; do
    echo "$modules" | grep -qx "$(basename "$file" .v)" || { echo "NOT CHECKED: $file is not in _CoqProject" >&2; exit 1; }
done
for module in $modules; do
    echo "checking $module.v"
    (cd "$work" && coqc -q -R . TF "$module.v") >"$work/said" || { cat "$work/said"; exit 1; }
done

# The last one printed a line for each `Print Assumptions`; one that assumes something prints more lines.
sed -n 's/^Print Assumptions \(.*\)\.$/\1/p' "$work/Theorems.v" >"$work/names"
paste -d: "$work/names" "$work/said" | sed 's/:/: /'
if grep -vqx 'Closed under the global context' "$work/said" || [ "$(wc -l <"$work/names")" != "$(wc -l <"$work/said")" ]; then
    echo "NOT PROVED: a main theorem assumes something" >&2
    exit 1
fi

# And whatever else is in the files, by the checker of compiled proofs: no axiom of ours anywhere.
for module in $modules; do echo "-norec TF.$module"; done | (cd "$work" && xargs coqchk -silent -o -R . TF) >"$work/axioms" 2>&1 || { cat "$work/axioms"; exit 1; }
if grep -E '^ +TF\.' "$work/axioms"; then
    echo "NOT PROVED: these are assumed" >&2
    exit 1
fi
echo "nothing is admitted or assumed"
if command -v ocamlfind >/dev/null; then
    port/build
else
    echo "ocamlfind not found: the port was not built"
fi
