--------------------------------- MODULE Hybrid ---------------------------------
(* The hybrid logical clock of this crate: Kulkarni et al. 2014, figure 5, on packed stamps, with the limits that the
   code adds: an offset beyond which messages are refused, a lead beyond which no stamp is given, and an upper bound
   that is on disk before it is used.

   A message is an event of its sender: it may be delivered at any time after, any number of times, or never. README.md
   has the table from here to functions and tests. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Nodes,
    Logicals,       \* Values of the logical part; one more carries into the physical part.
    MaxWall,        \* Walls stop here.
    Skew,           \* Walls that nobody sets differ at most by this.
    MaxOffset,      \* A message further ahead of the own wall is refused.
    MaxLead,        \* No stamp is further ahead of the own wall.
    Window,         \* How far beyond the wall a bound reaches; 0: there is no bound.
    Events,         \* Stamps at most, of all nodes.
    Steps, Crashes, \* How often a wall is set back, a process crashes.
    Fault           \* "none", or a deviation that must be found.

VARIABLES
    wall,           \* Each node's wall clock, in ticks.
    up,             \* Whether its process runs.
    last,           \* The greatest stamp it gave or took; forgotten in a crash.
    bound,          \* Its stamps stay below this; forgotten in a crash.
    stored,         \* The bound on its disk.
    past,           \* How many events of each node it knows of.
    events,         \* All that was stamped.
    steps, crashes  \* How often each has happened.

vars == <<wall, up, last, bound, stored, past, events, steps, crashes>>

Max(a, b) == IF a > b THEN a ELSE b
Min(a, b) == IF a < b THEN a ELSE b
Pack(physical, logical) == physical * Logicals + logical
Physical(stamp) == stamp \div Logicals
Logical(stamp) == stamp % Logicals
Lead(stamp, reading) == IF Physical(stamp) > reading THEN Physical(stamp) - reading ELSE 0

(* The causal past of e is within that of f. *)
Before(e, f) == e # f /\ e.number <= f.past[e.node]

Kept == Window > 0
Endless == Pack(MaxWall + MaxLead + 2, 0)
FirstBound == IF Kept THEN Pack(Window, 0) ELSE Endless

Init ==
    /\ wall = [n \in Nodes |-> 0]
    /\ up = [n \in Nodes |-> TRUE]
    /\ last = [n \in Nodes |-> 0]
    /\ bound = [n \in Nodes |-> FirstBound]
    /\ stored = [n \in Nodes |-> FirstBound]
    /\ past = [n \in Nodes |-> [m \in Nodes |-> 0]]
    /\ events = {}
    /\ steps = 0
    /\ crashes = 0

---------------------------------------------------------------------------------
(* Time. *)

Tick(n) ==
    /\ wall[n] < MaxWall
    /\ \A m \in Nodes : wall[n] + 1 <= wall[m] + Skew
    /\ wall' = [wall EXCEPT ![n] = @ + 1]
    /\ UNCHANGED <<up, last, bound, stored, past, events, steps, crashes>>

SetBack(n) ==
    /\ steps < Steps
    /\ \E to \in 0..MaxWall :
        /\ to < wall[n]
        /\ wall' = [wall EXCEPT ![n] = to]
    /\ steps' = steps + 1
    /\ UNCHANGED <<up, last, bound, stored, past, events, crashes>>

---------------------------------------------------------------------------------
(* Stamps. *)

(* One more; a full logical part carries. *)
After(stamp) ==
    CASE Fault = "wrap" /\ Logical(stamp) = Logicals - 1 -> Pack(Physical(stamp), 0)
      [] Fault = "leap" -> Pack(Physical(stamp) + 1, 0)
      [] Fault = "skip" -> stamp + 2
      [] OTHER -> stamp + 1

(* Figure 5: the wall where it is ahead of both, else one more than the greater of both. *)
Next5(n, floor) ==
    LET after == After(Max(last[n], floor))
    IN IF Fault = "behind" THEN after ELSE Max(Pack(wall[n], 0), after)

(* The paper's figure 5 by cases, for comparison. *)
Figure5(n, floor) ==
    LET l == Physical(last[n])
        m == Physical(floor)
        next == Max(Max(l, m), wall[n])
        logical == IF next = l /\ next = m THEN Max(Logical(last[n]), Logical(floor)) + 1
                   ELSE IF next = l THEN Logical(last[n]) + 1
                   ELSE IF next = m THEN Logical(floor) + 1
                   ELSE 0
    IN Pack(next, logical)

Join(a, b) == [m \in Nodes |-> Max(a[m], b[m])]

Stamp(n, floor, known) ==
    LET stamp == Next5(n, floor)
        joined == Join(past[n], known)
        new == [joined EXCEPT ![n] = @ + 1]
    IN /\ up[n]
       /\ Cardinality(events) < Events
       /\ stamp < bound[n]
       /\ Fault = "no-lead" \/ Lead(stamp, wall[n]) <= MaxLead
       /\ last' = [last EXCEPT ![n] = stamp]
       /\ past' = [past EXCEPT ![n] = new]
       /\ events' = events \cup
            {[node |-> n, number |-> new[n], stamp |-> stamp, wall |-> wall[n], past |-> new]}
       /\ UNCHANGED <<wall, up, bound, stored, steps, crashes>>

Now(n) == Stamp(n, 0, past[n])

(* What the clock is past moves nothing; else the own wall decides, not the own clock. *)
Takes(n, stamp) ==
    LET own == IF Fault = "launder" THEN Max(wall[n], Physical(last[n])) ELSE wall[n]
    IN stamp <= last[n] \/ Lead(stamp, own) <= MaxOffset

Recv(n, e) ==
    /\ e.node # n
    /\ Takes(n, e.stamp)
    /\ Stamp(n, IF Fault = "forget" THEN 0 ELSE e.stamp, e.past)

(* Read, but not answered: no stamp now, and every later one is greater. *)
Observe(n, e) ==
    /\ up[n]
    /\ e.node # n
    /\ e.number > past[n][e.node]
    /\ Takes(n, e.stamp)
    /\ e.stamp <= last[n] \/ (e.stamp < bound[n] /\ Lead(e.stamp, wall[n]) <= MaxLead)
    /\ last' = [last EXCEPT ![n] = IF Fault = "observe-stores" THEN e.stamp ELSE Max(@, e.stamp)]
    /\ past' = [past EXCEPT ![n] = Join(@, e.past)]
    /\ UNCHANGED <<wall, up, bound, stored, events, steps, crashes>>

---------------------------------------------------------------------------------
(* The bound: on disk first, then in use. A crash may come between. *)

Target(n) ==
    IF Fault = "follow-wall" THEN Pack(wall[n] + Window, 0)
    ELSE Max(Pack(wall[n] + Window, 0), last[n] + Logicals)

(* Less than half of a window is left. *)
Due(n) == 2 * (bound[n] - Min(bound[n], Max(Pack(wall[n], 0), last[n]))) < Pack(Window, 0)

Store(n) ==
    /\ Kept /\ up[n]
    /\ stored[n] <= bound[n]
    /\ Fault = "use-first" \/ Due(n)
    /\ LET new == IF Fault = "use-first" THEN bound[n] ELSE Target(n)
       IN (new > stored[n] \/ Fault = "follow-wall") /\ stored' = [stored EXCEPT ![n] = new]
    /\ UNCHANGED <<wall, up, last, bound, past, events, steps, crashes>>

Raise(n) ==
    /\ Kept /\ up[n]
    /\ IF Fault = "use-first"
       THEN Due(n) /\ Target(n) > bound[n] /\ bound' = [bound EXCEPT ![n] = Target(n)]
       ELSE stored[n] > bound[n] /\ bound' = [bound EXCEPT ![n] = stored[n]]
    /\ UNCHANGED <<wall, up, last, stored, past, events, steps, crashes>>

Crash(n) ==
    /\ up[n]
    /\ crashes < Crashes
    /\ crashes' = crashes + 1
    /\ up' = [up EXCEPT ![n] = FALSE]
    /\ last' = [last EXCEPT ![n] = 0]
    /\ bound' = [bound EXCEPT ![n] = 0]
    /\ UNCHANGED <<wall, stored, past, events, steps>>

(* Nothing at or above the stored bound was given: the next life starts there, whatever its wall says. *)
Start(n) ==
    /\ ~up[n]
    /\ up' = [up EXCEPT ![n] = TRUE]
    /\ last' = [last EXCEPT ![n] = IF Fault = "fresh" THEN 0 ELSE stored[n] - 1]
    /\ bound' = [bound EXCEPT ![n] = stored[n]]
    /\ UNCHANGED <<wall, stored, past, events, steps, crashes>>

Next ==
    \E n \in Nodes :
        \/ Tick(n) \/ SetBack(n)
        \/ Now(n) \/ (\E e \in events : Recv(n, e) \/ Observe(n, e))
        \/ Store(n) \/ Raise(n) \/ Crash(n) \/ Start(n)

Fair == \A n \in Nodes : WF_vars(Tick(n)) /\ WF_vars(Store(n)) /\ WF_vars(Raise(n)) /\ WF_vars(Start(n))

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ Fair

---------------------------------------------------------------------------------
(* What must hold. *)

TypeOK ==
    /\ wall \in [Nodes -> 0..MaxWall]
    /\ up \in [Nodes -> BOOLEAN]
    /\ last \in [Nodes -> Nat]
    /\ bound \in [Nodes -> Nat]
    /\ stored \in [Nodes -> Nat]
    /\ past \in [Nodes -> [Nodes -> 0..Events]]
    /\ Cardinality(events) <= Events
    /\ steps \in 0..Steps
    /\ crashes \in 0..Crashes

(* Theorem 1: what happened before has the smaller stamp, over crashes too. Since a node's own events are ordered, no
   node gives a stamp twice. *)
Causality == \A e, f \in events : Before(e, f) => e.stamp < f.stamp

(* Theorem 2: a stamp is never behind the wall that was read for it. *)
NotBehind == \A e \in events : Physical(e.stamp) >= e.wall

(* A limit of the code: however the walls are set. *)
BoundedLead == \A e \in events : Lead(e.stamp, e.wall) <= MaxLead

(* Corollary 1: walls that nobody sets, logical parts that do not fill up, no restarts. Nobody is further ahead of its
   wall than walls differ, nor than it takes of others. *)
BoundedDivergence == \A n \in Nodes : Lead(last[n], wall[n]) <= Min(Skew, MaxOffset)

(* Theorem 2, second part, under the same conditions: a physical part is some wall's reading in the causal past. *)
ComesFromAWall ==
    \A f \in events : \E g \in events : (g = f \/ Before(g, f)) /\ g.wall = Physical(f.stamp)

(* Theorem 3: the logical part is at most the length of a chain of events of the same tick. *)
LogicalIsAChain ==
    \A f \in events :
        Logical(f.stamp) <= Cardinality({g \in events : Before(g, f) /\ Physical(g.stamp) = Physical(f.stamp)})
                            + IF Physical(f.stamp) = 0 THEN 1 ELSE 0

(* No stamp was ever given that the disk does not cover. *)
DurableFirst == \A e \in events : e.stamp < stored[e.node]

(* The packed rule is figure 5, where the logical part has room. *)
IsFigure5 ==
    \A n \in Nodes : \A floor \in {0} \cup {e.stamp : e \in events} :
        Max(Logical(last[n]), Logical(floor)) + 1 < Logicals => Next5(n, floor) = Figure5(n, floor)

(* A running clock never goes back. *)
Monotone == [][\A n \in Nodes : (up[n] /\ up'[n]) => last'[n] >= last[n]]_vars

(* The bound on disk never goes back. *)
StoredGrows == [][\A n \in Nodes : stored'[n] >= stored[n]]_vars

(* Liveness: once its wall has come to its end, a node can stamp again and again, whatever its bound was and however
   far behind its wall started. *)
CanStamp(n) == up[n] /\ Next5(n, 0) < bound[n] /\ Lead(Next5(n, 0), wall[n]) <= MaxLead
Recovers == \A n \in Nodes : <>[](Lead(last[n], wall[n]) < MaxLead => CanStamp(n))

(* Not to hold: shows that worlds are not empty. *)
NeverCarries == \A e \in events : ~(Logical(e.stamp) = 0 /\ Physical(e.stamp) > e.wall)
NeverStampsAfterCrash == [][crashes > 0 => events' = events]_vars
===================================================================================
