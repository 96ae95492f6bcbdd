#!/usr/bin/env perl
# An incomplete port of trioflow: level 0 and the capability `core`, nothing else. It needs perl and its core modules.
# It runs what it knows; whatever else it meets, a failing run included, ends the run (`die`) and is answered `skipped`.
use v5.20;
use warnings;
no warnings 'recursion';
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my %SOCKETS = (    # The exec outputs, data outputs and data inputs (name: type, or nothing for any) of each node type.
    'script.exec'    => [[qw(o0 o1 o2 body done)], [qw(x y item)], {script => '', a => '', b => '', life => ''}],
    'script.endless' => [[qw(o0 o1 o2 body)], [qw(x y item)], {script => '', a => '', b => ''}],
    'script.strict'  => [[qw(o0 o1 o2)], [qw(x y)], {script => '', n => 'int', m => 'int'}]);
my (%node, %targets, %source, %output, %variable, %type, @feedback);    # The graph, and the one store that there is.

sub is_text { my ($v) = @_; defined $v && !ref $v && $json->encode($v) =~ /^"/ }

sub num {    # INTERPRETING 5.
    my ($v) = @_;
    return !defined $v ? 0 : JSON::PP::is_bool($v) ? ($v ? 1 : 0) : ref $v ? scalar @$v : is_text($v) ? length $v : $v;
}

sub fits {    # D11; null is for the caller.
    my ($v, $type) = @_;
    return 1 if $type eq '' || $type eq 'any';
    return ref $v eq 'ARRAY' if $type eq 'list';
    return is_text($v) if $type eq 'text' || $type eq 'str';
    return $type eq 'int' && !ref $v && !is_text($v);
}

sub declared { my ($name, @names) = @_; (grep { $_ eq $name } @names) ? $name : die "unknown-socket $name\n" }

sub resolve {    # D1 and D2: a list of one value, or of none if the input is unset.
    my ($id, $input, $eager) = @_;
    my $type = $SOCKETS{$node{$id}{type}}[2]{declared($input, keys %{$SOCKETS{$node{$id}{type}}[2]})};
    if (my $from = $source{"$id.$input"}) {
        my ($other, $socket) = @$from;
        $SOCKETS{$node{$other}{type}} or die "data nodes\n";
        if ($output{$other} && exists $output{$other}{$socket}) {
            my $v = $output{$other}{$socket};
            die "coercion\n" unless $eager || $type eq '' || defined $v && fits($v, $type);    # D11.
            return $v;
        }
    }
    return exists $node{$id}{inputs}{$input} ? $node{$id}{inputs}{$input} : $type ? () : undef;
}

sub set_variable {
    my ($name, $v) = @_;
    die "coercion\n" if defined $v && !fits($v, $type{$name});
    $variable{$name} = $v;
}

sub run {    # Runs operations; returns the socket if one of them was `return`, else nothing.
    my ($self, $ops) = @_;
    my ($exec, $data) = @{$SOCKETS{$node{$self->{id}}{type}}};
    for my $op (@$ops) {
        my ($do, $x, $y) = @$op;
        die "no variable $x\n" if $do =~ /var$/ && !exists $variable{$x};
        if    ($do eq 'const')     { $self->{acc} = $x }
        elsif ($do eq 'add')       { $self->{acc} = (num($self->{acc}) + $x) % 1000003 }
        elsif ($do eq 'mul')       { $self->{acc} = num($self->{acc}) * $x % 1000003 }
        elsif ($do eq 'keep')      { $self->{kept} = $self->{acc} }
        elsif ($do eq 'mix')       { $self->{acc} = (31 * num($self->{kept}) + num($self->{acc})) % 1000003 }
        elsif ($do eq 'get')       { my @v = resolve($self->{id}, $x) or die "missing-input\n"; $self->{acc} = $v[0] }
        elsif ($do eq 'tryget')    { my @v = resolve($self->{id}, $x); $self->{acc} = @v ? $v[0] : $y }
        elsif ($do eq 'set')       { $output{$self->{id}}{declared($x, @$data)} = $self->{acc} }
        elsif ($do eq 'getvar')    { $self->{acc} = $variable{$x} }
        elsif ($do eq 'setvar')    { set_variable($x, $self->{acc}) }
        elsif ($do eq 'addvar')    { set_variable($x, (num($variable{$x}) + num($self->{acc})) % 1000003) }
        elsif ($do eq 'appendvar') { set_variable($x, [@{$variable{$x}}, $self->{acc}]) }
        elsif ($do eq 'entered')   { $self->{acc} = $self->{entered} }
        elsif ($do eq 'payload')   { $self->{acc} = undef }
        elsif ($do eq 'failures')  { $self->{acc} = 0 }
        elsif ($do eq 'join')      { }
        elsif ($do eq 'feedback')  { push @feedback, [path($self), $self->{acc}] }
        elsif ($do eq 'return')    { return declared($x, @$exec) }
        elsif ($do eq 'trigger') {
            declared($x, @$exec);
            $self->{fired} = 1 if $x eq 'done';
            declared($_, @$data) for @{$y // []};
            $output{$self->{id}}{$_} = $self->{acc} for @{$y // []};
            dispatch($self, @{$targets{"$self->{id}.$x"} // []});
        }
        elsif ($do eq 'loop') {
            for my $i (0 .. $x - 1) { $self->{acc} = $i; my $end = run($self, $y); return $end if $end }
        }
        elsif ($do eq 'if') { my $end = run($self, num($self->{acc}) ? $x : $y); return $end if $end }
        else                { die "the operation $do\n" }
    }
    return;
}

sub dispatch {    # T1, T6 and T8: dispatches targets on a line, in order, what they hand over to before the next.
    my ($line, @left) = @_;
    while (my $target = shift @left) {
        die "depth\n" if $line->{depth} >= 100000;    # T9.
        my ($id, $entered) = @$target;
        my $type = $SOCKETS{$node{$id}{type}} or die "nodes of the type $node{$id}{type}\n";
        my $self = {line => $line, index => $line->{count}++, depth => $line->{depth} + 1, id => $id, entered => $entered,
            acc => undef, kept => 0};
        (my @n = resolve($id, 'n', 1)) or die "missing-input\n" if exists $type->[2]{n};
        my $end = run($self, $node{$id}{inputs}{script});
        $end //= 'done' if $node{$id}{type} eq 'script.exec' && !$self->{fired};    # S5.
        unshift @left, @{$targets{"$id.$end"} // []} if $end;
    }
}

sub path { my ($line) = @_; my @path; while ($line->{line}) { unshift @path, $line->{index}; $line = $line->{line} } \@path }

sub by_path {
    my ($p, $q) = ($a->[0], $b->[0]);
    for (0 .. ($#$p < $#$q ? $#$p : $#$q)) { return $p->[$_] <=> $q->[$_] if $p->[$_] != $q->[$_] }
    return @$p <=> @$q;
}

sub answer {
    my ($request) = @_;
    my ($graph, $options) = ($request->{graph}, $request->{options} // {});
    $request->{level} and die "level $request->{level}\n";
    ($options->{$_} ? die "the option $_\n" : 0) for qw(max_steps max_depth max_nesting max_strands timeout parallel_initiators);
    @feedback = %targets = %source = %output = %variable = ();
    %node = map { $_->{id} => $_ } @{$graph->{nodes}};
    exists $_->{inputs}{life} and die "life\n" for values %node;
    for (@{$graph->{connections} // []}) {
        my ($from, $to) = ([$_->{from} =~ /(.*)\.(.*)/], [$_->{to} =~ /(.*)\.(.*)/]);
        push @{$targets{$_->{from}}}, $to;    # Data wires too: nothing triggers a data output.
        $source{$_->{to}} = $from;            # Exec wires too: nothing asks for an exec input.
    }
    %type = map { $_->{name} => $_->{type} // 'any' } @{$graph->{variables} // []};
    %variable = ((map { $_->{name} => $_->{default} } @{$graph->{variables} // []}), %{$request->{variables} // {}});
    my $root = {depth => 0};
    my @lines = map { [{line => $root, index => $root->{count}++, depth => 1}, [$_->{id}, undef]] } grep { $_->{initiator} } @{$graph->{nodes}};
    dispatch(@$_) for @lines;
    return {type => 'result', status => 'completed', errors => [], problems => [], variables => \%variable,
        outputs => \%output, feedback => [sort by_path @feedback], life => []};
}

$| = 1;
while (my $line = <STDIN>) {
    my $request = $json->decode($line);
    last if $request->{type} eq 'stop';
    my $answer = $request->{type} eq 'start'
        ? {type => 'started', contract => '2.0', name => 'perl', language => 'Perl', level => 0, capabilities => ['core']}
        : eval { answer($request) } // {type => 'skipped', reason => "not claimed: $@" =~ s/\n//r};
    $answer->{id} = $request->{id} if exists $request->{id};
    say $json->encode($answer);
}
