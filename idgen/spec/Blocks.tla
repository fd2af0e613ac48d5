--------------------------------- MODULE Blocks ---------------------------------
(* Numbers of a sequence, from blocks that are reserved of one counter. Processes ask for a block, and for the next one
   before the first runs out. A call may be lost, done twice, or answered late, twice or never; whether a call that was
   given up was done, its process never knows. Processes crash; the counter's keeper crashes too, and knows then what is
   durable. Blocks.md has the table from here to functions and tests. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Processes,
    Size,           \* Of a block.
    Refill,         \* Ask for the next block when so many numbers are left.
    End,            \* The first number that there is not.
    Gives,          \* So many numbers are given at most.
    Crashes,        \* How often a process crashes.
    Loses,          \* How often a call is given up.
    Doubles,        \* How often a call is done again.
    Failures,       \* How often the counter's keeper crashes.
    Fault           \* "none", or a deviation that must be found.

VARIABLES
    durable,        \* The counter on disk: the first number that nobody has.
    counter,        \* The counter as its keeper has it.
    calls,          \* On their way: process, ticket.
    seen,           \* For a fault: what a call read of the counter.
    answers,        \* On their way, as often as they like: process, ticket, first number.
    up,             \* Whether a process runs.
    ticket,         \* The last one that the process drew; tickets of two lives differ.
    asked,          \* Whether it waits for an answer.
    block, spare,   \* Its block, and the next one: first number, and the one behind the last.
    given, gives,   \* All numbers given, and how many that were.
    crashes, loses, doubles, failures

process == <<up, ticket, asked, block, spare>>
ghosts == <<given, gives>>
vars == <<durable, counter, calls, seen, answers, process, ghosts, crashes, loses, doubles, failures>>

Empty == [first |-> 0, end |-> 0]
Left(range) == range.end - range.first

Init ==
    /\ durable = 0
    /\ counter = 0
    /\ calls = {}
    /\ seen = {}
    /\ answers = {}
    /\ up = [p \in Processes |-> TRUE]
    /\ ticket = [p \in Processes |-> 0]
    /\ asked = [p \in Processes |-> FALSE]
    /\ block = [p \in Processes |-> Empty]
    /\ spare = [p \in Processes |-> Empty]
    /\ given = {}
    /\ gives = 0
    /\ crashes = 0
    /\ loses = 0
    /\ doubles = 0
    /\ failures = 0

---------------------------------------------------------------------------------
(* A process. *)

(* Less than a refill is left, and none is asked for: asks. *)
Ask(p) ==
    /\ up[p] /\ ~asked[p]
    /\ Left(spare[p]) = 0
    /\ Left(block[p]) <= Refill
    /\ gives < Gives
    /\ ticket' = [ticket EXCEPT ![p] = @ + 1]
    /\ asked' = [asked EXCEPT ![p] = TRUE]
    /\ calls' = calls \cup {[process |-> p, ticket |-> ticket'[p]]}
    /\ UNCHANGED <<durable, counter, seen, answers, up, block, spare, ghosts, crashes, loses, doubles, failures>>

(* An answer to what it asks for now: the block, or the spare one. Any other is nothing to it. *)
Take(p, a) ==
    /\ up[p] /\ a.process = p
    /\ IF Fault = "any-answer" THEN Left(spare[p]) = 0 ELSE asked[p] /\ a.ticket = ticket[p]
    /\ LET range == [first |-> a.first, end |-> a.first + Size]
       IN IF Left(block[p]) = 0
          THEN block' = [block EXCEPT ![p] = range] /\ UNCHANGED spare
          ELSE spare' = [spare EXCEPT ![p] = range] /\ UNCHANGED block
    /\ asked' = [asked EXCEPT ![p] = FALSE]
    /\ UNCHANGED <<durable, counter, calls, seen, answers, up, ticket, ghosts, crashes, loses, doubles, failures>>

Give(p) ==
    LET number == block[p].first
        left == [block[p] EXCEPT !.first = number + 1]
        over == Left(left) = 0
    IN /\ up[p]
       /\ Left(block[p]) > 0
       /\ gives < Gives
       /\ block' = [block EXCEPT ![p] = IF ~over THEN left ELSE IF Fault = "drop-spare" THEN Empty ELSE spare[p]]
       /\ spare' = [spare EXCEPT ![p] = IF over /\ Fault # "keep-spare" THEN Empty ELSE @]
       /\ given' = given \cup {number}
       /\ gives' = gives + 1
       /\ UNCHANGED <<durable, counter, calls, seen, answers, up, ticket, asked, crashes, loses, doubles, failures>>

(* It waits no longer. Whether the call is done, was done or will be done, it does not know: it asks anew. *)
Lose(p) ==
    /\ up[p] /\ asked[p]
    /\ loses < Loses
    /\ loses' = loses + 1
    /\ asked' = [asked EXCEPT ![p] = FALSE]
    /\ UNCHANGED <<durable, counter, calls, seen, answers, up, ticket, block, spare, ghosts, crashes, doubles, failures>>

Crash(p) ==
    /\ up[p]
    /\ crashes < Crashes
    /\ crashes' = crashes + 1
    /\ up' = [up EXCEPT ![p] = FALSE]
    /\ asked' = [asked EXCEPT ![p] = FALSE]
    /\ block' = [block EXCEPT ![p] = IF Fault = "keep-block" THEN [@ EXCEPT !.first = @ - (@ % Size)] ELSE Empty]
    /\ spare' = [spare EXCEPT ![p] = Empty]
    /\ UNCHANGED <<durable, counter, calls, seen, answers, ticket, ghosts, loses, doubles, failures>>

Start(p) ==
    /\ ~up[p]
    /\ up' = [up EXCEPT ![p] = TRUE]
    /\ ticket' = [ticket EXCEPT ![p] = IF Fault = "same-tickets" THEN 0 ELSE @]
    /\ UNCHANGED <<durable, counter, calls, seen, answers, asked, block, spare, ghosts, crashes, loses, doubles, failures>>

---------------------------------------------------------------------------------
(* The counter. *)

Answer(c, first) == [process |-> c.process, ticket |-> c.ticket, first |-> first]

(* Durable, then answered, in one step for others. A block that would reach beyond the end is refused. *)
Reserve(c, again) ==
    /\ counter + Size <= End
    /\ IF again THEN doubles < Doubles /\ doubles' = doubles + 1 /\ UNCHANGED calls
       ELSE calls' = calls \ {c} /\ UNCHANGED doubles
    /\ IF Fault = "read-then-write"
       THEN /\ c \notin {read.call : read \in seen}
            /\ seen' = seen \cup {[call |-> c, first |-> counter]}
            /\ UNCHANGED <<counter, durable, answers>>
       ELSE /\ counter' = counter + Size
            /\ durable' = (IF Fault = "answer-first" THEN durable ELSE counter + Size)
            /\ answers' = answers \cup {Answer(c, counter)}
            /\ UNCHANGED seen
    /\ UNCHANGED <<process, ghosts, crashes, loses, failures>>

(* For faults alone: the second half of a reservation that others may come between. *)
Write(read) ==
    /\ counter' = read.first + Size
    /\ durable' = counter'
    /\ answers' = answers \cup {Answer(read.call, read.first)}
    /\ seen' = seen \ {read}
    /\ UNCHANGED <<calls, process, ghosts, crashes, loses, doubles, failures>>

Sync ==
    /\ durable < counter
    /\ durable' = counter
    /\ UNCHANGED <<counter, calls, seen, answers, process, ghosts, crashes, loses, doubles, failures>>

(* The call was done, and its answer never leaves. *)
DoneInSilence(c) ==
    /\ failures < Failures
    /\ counter + Size <= End
    /\ failures' = failures + 1
    /\ counter' = counter + Size
    /\ durable' = counter'
    /\ calls' = calls \ {c}
    /\ UNCHANGED <<seen, answers, process, ghosts, crashes, loses, doubles>>

Fail ==
    /\ failures < Failures
    /\ failures' = failures + 1
    /\ counter' = durable
    /\ seen' = {}
    /\ UNCHANGED <<durable, calls, answers, process, ghosts, crashes, loses, doubles>>

Next ==
    \/ \E p \in Processes :
        Ask(p) \/ (\E a \in answers : Take(p, a)) \/ Give(p) \/ Lose(p) \/ Crash(p) \/ Start(p)
    \/ \E c \in calls : Reserve(c, FALSE) \/ Reserve(c, TRUE) \/ DoneInSilence(c)
    \/ \E read \in seen : Write(read)
    \/ Sync \/ Fail

Fair ==
    /\ \A p \in Processes :
        /\ WF_vars(Ask(p)) /\ WF_vars(Give(p)) /\ WF_vars(Start(p)) /\ WF_vars(Lose(p))
        /\ WF_vars(\E a \in answers : Take(p, a))
    /\ WF_vars(\E c \in calls : Reserve(c, FALSE))

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ Fair

---------------------------------------------------------------------------------
(* What must hold. *)

Range == [first : 0..End, end : 0..End]

TypeOK ==
    /\ durable \in 0..End
    /\ counter \in 0..End
    /\ up \in [Processes -> BOOLEAN]
    /\ asked \in [Processes -> BOOLEAN]
    /\ block \in [Processes -> Range]
    /\ spare \in [Processes -> Range]
    /\ gives \in 0..Gives

Unique == Cardinality(given) = gives

(* Nothing is given or held that the disk does not know of. *)
Reserved ==
    /\ \A number \in given : number < durable
    /\ \A p \in Processes : block[p].end <= durable /\ spare[p].end <= durable

Numbers(range) == {n \in 0..(End - 1) : range.first <= n /\ n < range.end}
Held(p) == Numbers(block[p]) \cup Numbers(spare[p])
Disjoint ==
    /\ \A p, q \in Processes : p # q => Held(p) \cap Held(q) = {}
    /\ \A p \in Processes : Numbers(block[p]) \cap Numbers(spare[p]) = {}
    /\ \A p \in Processes : Held(p) \cap given = {}

(* A gap has a cause: a crash costs three blocks at most, one in use, a spare one and one that was asked for; a call
   that was given up, done twice or never answered costs one. *)
Coming(p) == IF asked[p] /\ \E a \in answers : a.process = p /\ a.ticket = ticket[p] THEN Size ELSE 0
RECURSIVE Sum(_)
Sum(set) == IF set = {} THEN 0
            ELSE LET p == CHOOSE p \in set : TRUE
                 IN Left(block[p]) + Left(spare[p]) + Coming(p) + Sum(set \ {p})
GapsBounded == durable <= gives + Sum(Processes) + Size * (3 * crashes + loses + doubles + failures)

(* The counter never goes back. *)
Grows == [][durable' >= durable]_vars

(* Liveness: numbers are given until all are, or the counter is at its end. *)
Goes == <>(gives = Gives \/ counter + Size > End)

(* Not to hold: shows that worlds are not empty. *)
NeverPrefetches == \A p \in Processes : Left(block[p]) = 0 \/ Left(spare[p]) = 0
NeverAtTheEnd == counter < End
NeverLate == \A a \in answers : ~(up[a.process] /\ a.ticket < ticket[a.process] /\ asked[a.process])
=================================================================================
