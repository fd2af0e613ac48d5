--------------------------------- MODULE Vector ---------------------------------
(* Vector clocks as `VectorClock` has them: sparse, of processes that enter by their first event. What is sent may
   be lost, doubled and reordered: a message stays on its way for ever, and whoever wants receives it.

   Beside its clock every process carries its past, the set of all events that happened before: a ghost, which no
   clock sees. The theorem of Mattern and Fidge is the invariant that both order events alike. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Processes,
    MaxEvents,      \* Of each process.
    Fault           \* "none", or a deviation that the invariants must find.

ASSUME Fault \in {"none", "receive-without-merge", "receive-without-tick", "send-without-tick", "overwrite",
                 "prune-as-zero"}

VARIABLES
    clock,          \* Of each process: a function from the processes that it knows events of to their number.
    past,           \* Of each process: the events that happened before now, named by process and number.
    events,         \* All events so far: name, clock and past of each.
    sent            \* The clocks that messages carry, with the past of their senders.

vars == <<clock, past, events, sent>>

Max(a, b) == IF a > b THEN a ELSE b

---------------------------------------------------------------------------------
(* Clocks. *)

\* Nothing has happened.
New == [p \in {} |-> 0]
\* Absent is zero.
Get(c, p) == IF p \in DOMAIN c THEN c[p] ELSE 0
Within(c, d) == \A p \in DOMAIN c \cup DOMAIN d : Get(c, p) <= Get(d, p)
Merged(c, d) == [p \in DOMAIN c \cup DOMAIN d |-> Max(Get(c, p), Get(d, p))]
Ticked(c, p) == [q \in DOMAIN c \cup {p} |-> Get(c, q) + IF q = p THEN 1 ELSE 0]
\* What is left of a clock that keeps p alone, as if the others had never counted.
Pruned(c, p) == [q \in DOMAIN c \cap {p} |-> c[q]]

Concurrent(c, d) == ~Within(c, d) /\ ~Within(d, c)

---------------------------------------------------------------------------------
(* Events. *)

CountOf(p) == Cardinality({e \in past[p] : e[1] = p})
NextOf(p) == <<p, CountOf(p) + 1>>

\* Process p has an event, after which its clock and past are these.
Happens(p, c, before) ==
    LET name == NextOf(p) IN
    /\ CountOf(p) < MaxEvents
    /\ clock' = [clock EXCEPT ![p] = c]
    /\ past' = [past EXCEPT ![p] = before \cup {name}]
    /\ events' = events \cup {[name |-> name, clock |-> c, past |-> before \cup {name}]}

Init ==
    /\ clock = [p \in Processes |-> New]
    /\ past = [p \in Processes |-> {}]
    /\ events = {}
    /\ sent = {}

Tick(p) ==
    /\ Happens(p, Ticked(clock[p], p), past[p])
    /\ UNCHANGED sent

Send(p) ==
    LET c == IF Fault = "send-without-tick" THEN clock[p] ELSE Ticked(clock[p], p) IN
    /\ Happens(p, c, past[p])
    /\ sent' = sent \cup {[clock |-> c, past |-> past'[p]]}

Receive(p, m) ==
    LET merged ==
            CASE Fault = "receive-without-merge" -> clock[p]
              [] Fault = "overwrite" -> Merged(m.clock, Pruned(clock[p], p))
              [] Fault = "prune-as-zero" -> Pruned(Merged(clock[p], m.clock), p)
              [] OTHER -> Merged(clock[p], m.clock)
        c == IF Fault = "receive-without-tick" THEN merged ELSE Ticked(merged, p)
    IN
    /\ Happens(p, c, past[p] \cup m.past)
    /\ UNCHANGED sent

Next ==
    \E p \in Processes :
        \/ Tick(p)
        \/ Send(p)
        \/ \E m \in sent : Receive(p, m)

Spec == Init /\ [][Next]_vars

---------------------------------------------------------------------------------
(* What must hold. *)

Names == Processes \X (1..MaxEvents)

TypeOK ==
    /\ \A p \in Processes : DOMAIN clock[p] \subseteq Processes /\ past[p] \subseteq Names
    /\ \A e \in events : e.name \in Names /\ e.name \in e.past /\ DOMAIN e.clock \subseteq Processes
    /\ \A m \in sent : \E e \in events : e.clock = m.clock /\ e.past = m.past

\* One event is within another's clock exactly when it happened before it, or is it.
OrderIsHappenedBefore ==
    \A e, f \in events : Within(e.clock, f.clock) <=> e.name \in f.past

\* And exactly when all that happened before it did: equal, before, after and concurrent are those of sets.
OrderIsInclusion ==
    \A e, f \in events : Within(e.clock, f.clock) <=> e.past \subseteq f.past

\* A clock counts the events of each process that it knows of.
ClockCountsPast ==
    \A p, q \in Processes : Get(clock[p], q) = Cardinality({e \in past[p] : e[1] = q})

\* No zero is kept, so that equal clocks are equal values.
NoZeroKept ==
    \A p \in Processes : \A q \in DOMAIN clock[p] : clock[p][q] > 0

\* Nobody knows more of a process than it does itself.
OwnIsNewest ==
    \A p, q \in Processes : Get(clock[q], p) <= Get(clock[p], p)

\* Every event is strictly after the one before it.
Grows(c, d) == c = d \/ (Within(c, d) /\ ~Within(d, c))
ClocksGrow == [][\A p \in Processes : Grows(clock[p], clock'[p])]_vars

\* What must be broken, or the invariants above say nothing.
NeverConcurrent == \A e, f \in events : ~Concurrent(e.clock, f.clock)
NeverThroughAnother ==
    \A e, f \in events :
        Within(e.clock, f.clock) => e.name[1] = f.name[1] \/ Cardinality(DOMAIN f.clock) < 3
================================================================================
