------------------------------- MODULE Generator -------------------------------
(* A generator of this crate: positions that only grow, a ceiling that is durable before positions reach it, and nodes
   that are handed from one process to another.

   A position is ticks times Sequences plus a sequence number. Who has a node is decided by `owner`: a grantor that keeps
   leases, a folder of lock files, or an operator. A process that is `up` believes that it has its node; it lapses when
   its own clock says so. Where Lies, a clock may say so too late: the owner changes while the old one goes on.
   Generator.md has the table from here to functions and tests. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Processes, Nodes,
    Sequences,      \* Values of the sequence; one more carries into the next tick.
    MaxWall,        \* Walls stop here.
    Ticks,          \* The time field holds so many.
    MaxLead,        \* No id is further ahead of its wall.
    Window,         \* How far beyond the wall a ceiling reaches.
    Ids,            \* So many are given at most.
    Steps, Ends,    \* How often a wall is set back; how often a life ends, by a crash or a lapse.
    Lies,           \* Whether an owner may change while the old one still believes.
    Fault           \* "none", or a deviation that must be found.

VARIABLES
    wall,           \* Each process's wall clock, in ticks.
    up,             \* Whether it runs and believes that it has a node.
    node,           \* Which.
    turn,           \* Its turn at that node.
    next,           \* The next position; forgotten at the end of a life.
    ceiling,        \* Positions stay below this; forgotten at the end of a life.
    told,           \* The ceiling that is known to be durable; forgotten at the end of a life.
    owner,          \* Of each node: whom the grantor believes to have it; 0: nobody.
    turns,          \* Of each node: how many lives it had.
    stored,         \* Of each node: the ceiling that is durable.
    given,          \* All ids.
    gives,          \* How many were given.
    steps, ends     \* How often each has happened.

life == <<up, node, turn, next, ceiling, told>>
vars == <<wall, life, owner, turns, stored, given, gives, steps, ends>>

Max(a, b) == IF a > b THEN a ELSE b
Less(a, b) == IF a > b THEN a - b ELSE 0
Pack(tick) == tick * Sequences
Tick(position) == position \div Sequences
End == Pack(Ticks)

Init ==
    /\ wall = [p \in Processes |-> 0]
    /\ up = [p \in Processes |-> FALSE]
    /\ node = [p \in Processes |-> 0]
    /\ turn = [p \in Processes |-> 0]
    /\ next = [p \in Processes |-> 0]
    /\ ceiling = [p \in Processes |-> 0]
    /\ told = [p \in Processes |-> 0]
    /\ owner = [n \in Nodes |-> 0]
    /\ turns = [n \in Nodes |-> 0]
    /\ stored = [n \in Nodes |-> 0]
    /\ given = {}
    /\ gives = 0
    /\ steps = 0
    /\ ends = 0

---------------------------------------------------------------------------------
(* Time. *)

Advance(p) ==
    /\ wall[p] < MaxWall
    /\ wall' = [wall EXCEPT ![p] = @ + 1]
    /\ UNCHANGED <<life, owner, turns, stored, given, gives, steps, ends>>

SetBack(p) ==
    /\ steps < Steps
    /\ \E to \in 0..MaxWall : to < wall[p] /\ wall' = [wall EXCEPT ![p] = to]
    /\ steps' = steps + 1
    /\ UNCHANGED <<life, owner, turns, stored, given, gives, ends>>

---------------------------------------------------------------------------------
(* Ids. *)

(* Where the process goes on: the wall only ever raises the position. *)
Position(p) ==
    LET position == IF Fault = "follow-wall" /\ Tick(next[p]) > wall[p] THEN Pack(wall[p])
                    ELSE Max(next[p], Pack(wall[p]))
    IN IF Fault = "wrap-time" THEN position % End ELSE position

(* After it: a full sequence carries. *)
After(position) ==
    IF Fault = "wrap-sequence" /\ position % Sequences = Sequences - 1 THEN Pack(Tick(position))
    ELSE position + 1

Under(position, p) ==
    CASE Fault \in {"no-ceiling", "late-mark"} -> TRUE
      [] Fault = "touch" -> position <= ceiling[p]
      [] OTHER -> position < ceiling[p]

Give(p) ==
    LET position == Position(p)
    IN /\ up[p]
       /\ gives < Ids
       /\ position < End
       /\ Under(position, p)
       /\ Fault = "no-lead" \/ Less(Tick(position), wall[p]) <= MaxLead
       /\ next' = [next EXCEPT ![p] = After(position)]
       /\ given' = given \cup {[node |-> node[p], position |-> position, turn |-> turn[p]]}
       /\ gives' = gives + 1
       /\ UNCHANGED <<wall, up, node, turn, ceiling, told, owner, turns, stored, steps, ends>>

---------------------------------------------------------------------------------
(* The ceiling: durable first, then in use. A life may end between. *)

(* Beyond the wall by a window; where the position is ahead of the wall, a tick beyond that. Never beyond the end. *)
Target(p) ==
    LET target == Max(Pack(wall[p] + Window), next[p] + Sequences)
    IN IF target > End THEN End ELSE target

(* Half a window is left before the wall comes to the ceiling; or half a tick before the position does. *)
Due(p) ==
    \/ 2 * Less(ceiling[p], Pack(wall[p])) <= Pack(Window)
    \/ 2 * Less(ceiling[p], next[p]) <= Sequences

(* Who is no longer the owner is refused: turns tell. *)
Entitled(p) == Fault = "unfenced" \/ (owner[node[p]] = p /\ turns[node[p]] = turn[p])

Store(p) ==
    LET n == node[p]
        new == CASE Fault = "late-mark" -> next[p]
                 [] Fault = "use-first" -> ceiling[p]
                 [] Fault = "store-back" -> Pack(wall[p] + Window)
                 [] OTHER -> Target(p)
    IN /\ up[p]
       /\ Fault \in {"late-mark", "use-first"} \/ Due(p)
       /\ Entitled(p)
       /\ new > stored[n] \/ Fault = "store-back"
       /\ stored' = [stored EXCEPT ![n] = new]
       /\ told' = [told EXCEPT ![p] = new]
       /\ UNCHANGED <<wall, up, node, turn, next, ceiling, owner, turns, given, gives, steps, ends>>

Raise(p) ==
    LET new == IF Fault = "use-first" /\ Due(p) THEN Target(p) ELSE told[p]
    IN /\ up[p]
       /\ new > ceiling[p]
       /\ ceiling' = [ceiling EXCEPT ![p] = new]
       /\ UNCHANGED <<wall, up, node, turn, next, told, owner, turns, stored, given, gives, steps, ends>>

---------------------------------------------------------------------------------
(* Lives. *)

(* A process takes a node that is free, or that it had before it crashed, and goes on at the ceiling: nothing at or above
   it was given. *)
Begin(p, n) ==
    /\ ~up[p]
    /\ owner[n] = 0 \/ owner[n] = p
    /\ up' = [up EXCEPT ![p] = TRUE]
    /\ node' = [node EXCEPT ![p] = n]
    /\ turn' = [turn EXCEPT ![p] = turns[n] + 1]
    /\ next' = [next EXCEPT ![p] = IF Fault = "no-floor" THEN 0 ELSE stored[n]]
    /\ ceiling' = [ceiling EXCEPT ![p] = stored[n]]
    /\ told' = [told EXCEPT ![p] = stored[n]]
    /\ owner' = [owner EXCEPT ![n] = p]
    /\ turns' = [turns EXCEPT ![n] = @ + 1]
    /\ UNCHANGED <<wall, stored, given, gives, steps, ends>>

(* It crashes, or its own clock says that its grant is over. *)
Finish(p) ==
    /\ up[p]
    /\ ends < Ends
    /\ ends' = ends + 1
    /\ up' = [up EXCEPT ![p] = FALSE]
    /\ node' = [node EXCEPT ![p] = 0]
    /\ turn' = [turn EXCEPT ![p] = 0]
    /\ next' = [next EXCEPT ![p] = 0]
    /\ ceiling' = [ceiling EXCEPT ![p] = 0]
    /\ told' = [told EXCEPT ![p] = 0]
    /\ UNCHANGED <<wall, owner, turns, stored, given, gives, steps>>

(* Late is safe, early never: unless a clock lies, nobody loses a node that it believes to have. *)
Expire(n) ==
    LET p == owner[n]
    IN /\ p # 0
       /\ ~(up[p] /\ node[p] = n /\ turn[p] = turns[n]) \/ Lies \/ Fault = "early"
       /\ owner' = [owner EXCEPT ![n] = 0]
       /\ UNCHANGED <<wall, life, turns, stored, given, gives, steps, ends>>

Next ==
    \/ \E p \in Processes :
        \/ Advance(p) \/ SetBack(p)
        \/ Give(p) \/ Store(p) \/ Raise(p)
        \/ Finish(p) \/ (\E n \in Nodes : Begin(p, n))
    \/ \E n \in Nodes : Expire(n)

Fair ==
    /\ \A p \in Processes : WF_vars(Advance(p)) /\ WF_vars(Store(p)) /\ WF_vars(Raise(p))
    /\ \A p \in Processes : WF_vars(\E n \in Nodes : Begin(p, n))
    /\ \A n \in Nodes : WF_vars(Expire(n))

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ Fair

---------------------------------------------------------------------------------
(* What must hold. *)

TypeOK ==
    /\ wall \in [Processes -> 0..MaxWall]
    /\ up \in [Processes -> BOOLEAN]
    /\ node \in [Processes -> Nodes \cup {0}]
    /\ turn \in [Processes -> Nat]
    /\ next \in [Processes -> 0..End]
    /\ ceiling \in [Processes -> 0..End]
    /\ told \in [Processes -> 0..End]
    /\ owner \in [Nodes -> Processes \cup {0}]
    /\ turns \in [Nodes -> Nat]
    /\ stored \in [Nodes -> 0..End]
    /\ gives \in 0..Ids

(* No id is given twice: not by a process, not by two, not over restarts. *)
Unique ==
    /\ Cardinality(given) = gives
    /\ \A e, f \in given : (e.node = f.node /\ e.position = f.position) => e = f

(* Whatever a later life gives is greater than all that an earlier one gives, even what it gives later. *)
Ordered == \A e, f \in given : (e.node = f.node /\ e.turn < f.turn) => e.position < f.position

(* No id was ever given that the store does not cover. *)
DurableFirst == \A e \in given : e.position < stored[e.node]

(* Holds where no clock lies; Unique does not rest on it. *)
OneHolder == \A p, q \in Processes : (p # q /\ up[p] /\ up[q]) => node[p] # node[q]

(* A running generator never goes back. *)
Monotone == [][\A p \in Processes : (up[p] /\ up'[p]) => (next'[p] >= next[p] /\ ceiling'[p] >= ceiling[p])]_vars

(* What is stored never goes back. *)
StoredGrows == [][\A n \in Nodes : stored'[n] >= stored[n]]_vars

(* No id is further ahead of the wall than it may be. *)
BoundedLead ==
    [][\A p \in Processes :
        (up[p] /\ up'[p] /\ next'[p] # next[p]) => Tick(next'[p] - 1) <= wall[p] + MaxLead]_vars

(* Liveness: a node does not stay without a process that can give ids of it, whatever crashed and whose clock went back;
   where walls are still behind what was given, that has to wait for them. *)
CanGive(p) == up[p] /\ Position(p) < ceiling[p]
Waits(p) == up[p] /\ Less(Tick(Position(p)), wall[p]) >= MaxLead
Recovers == \A n \in Nodes : <>[](\E p \in Processes : node[p] = n /\ (CanGive(p) \/ Waits(p)))

(* Not to hold: shows that worlds are not empty. *)
NeverHandedOn == \A e, f \in given : e.node = f.node => e.turn = f.turn
NeverCarries == \A e \in given : e.position % Sequences = 0
NeverAtTheEnd == \A e \in given : e.position < End - 1
=================================================================================
