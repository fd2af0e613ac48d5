---------------------------------- MODULE Raft ----------------------------------
(* Raft as this crate implements it: election with pre-vote, replication, disks that sync later, crashes, and a
   network that loses, doubles and reorders.

   One step is one input to one server together with all that follows from it, as in the code: `Machine::step` and
   what a host does with its effects. Operators bear the names of the functions they specify; README.md has the table.

   With Exact = TRUE the module says which messages leave, to the last one, so that the code reaches the very states that
   the module does. With Exact = FALSE a leader may send at any time whatever its log and commit index justify, and
   leases may withhold votes: what traces of real runs, with other windows and timers, are checked against. *)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    Servers,        \* A set of numbers above zero.
    Campaigners,    \* Those whose election timeout may pass.
    PreVotes,       \* Whether campaigns begin with a pre-vote.
    Exact,          \* See above.
    Loss,           \* Whether the network loses messages.
    MaxTerm,        \* No campaign beyond this term.
    MaxLog,         \* No proposal once a log is this long.
    InFlight,       \* Messages on their way at most.
    Unsynced,       \* Writes of a server that wait for its disk, at most.
    Sealed,         \* Messages of a server that wait for its disk, at most.
    Proposals, Crashes, Duplicates, Intervals,  \* How often each may happen.
    Endless,        \* TRUE: intervals have no limit, but pass only once network and disks have come to rest.
    Fault           \* "none", or a deviation that the invariants must find.

VARIABLES
    node,           \* What each server holds in memory.
    disk,           \* Images of each server's persistent state: durable first, each later one not synced yet.
    sealed,         \* Messages of each server that wait for its disk, as a bag of [after, message].
    net,            \* Messages on their way, as a bag.
    spent,          \* How often each limited thing has happened.
    decided,        \* The longest log that anybody ever knew to be committed.
    led             \* Who led each term first; 0 for nobody.

vars == <<node, disk, sealed, net, spent, decided, led>>

Max(a, b) == IF a > b THEN a ELSE b
Min(a, b) == IF a < b THEN a ELSE b

---------------------------------------------------------------------------------
(* Bags as functions from element to count. *)

Empty == [x \in {} |-> 0]
Count(bag, x) == IF x \in DOMAIN bag THEN bag[x] ELSE 0
With(bag, x) == [y \in DOMAIN bag \cup {x} |-> Count(bag, y) + IF y = x THEN 1 ELSE 0]
Without(bag, x) ==
    IF bag[x] > 1 THEN [bag EXCEPT ![x] = @ - 1] ELSE [y \in DOMAIN bag \ {x} |-> bag[y]]

RECURSIVE WithChosen(_, _, _, _)
WithChosen(bag, list, chosen, at) ==
    IF at > Len(list) THEN bag
    ELSE WithChosen(IF at \in chosen THEN With(bag, list[at]) ELSE bag, list, chosen, at + 1)

RECURSIVE SizeOf(_, _)
SizeOf(bag, elements) ==
    IF elements = {} THEN 0
    ELSE LET x == CHOOSE x \in elements : TRUE IN bag[x] + SizeOf(bag, elements \ {x})
Size(bag) == SizeOf(bag, DOMAIN bag)

RECURSIVE ListOf(_, _)
ListOf(bag, elements) ==
    IF elements = {} THEN <<>>
    ELSE LET x == CHOOSE x \in elements : TRUE
         IN [i \in 1..bag[x] |-> x.message] \o ListOf(bag, elements \ {x})

---------------------------------------------------------------------------------
(* Logs: the term of each entry. *)

TermAt(log, index) == IF index = 0 THEN 0 ELSE log[index]
Last(log) == <<TermAt(log, Len(log)), Len(log)>>
Front(log, length) == SubSeq(log, 1, length)
IsPrefix(short, long) == Len(short) <= Len(long) /\ \A i \in 1..Len(short) : short[i] = long[i]
AtLeast(a, b) == a[1] > b[1] \/ (a[1] = b[1] /\ a[2] >= b[2])

PositionAt(log, index) == <<TermAt(log, index), index>>

(* The last position at or before an index whose term is at most the given one. Terms never fall along a log. *)
LastAtMost(log, index, term) == PositionAt(log, Cardinality({i \in 1..Min(index, Len(log)) : log[i] <= term}))

Least(set, otherwise) == IF set = {} THEN otherwise ELSE CHOOSE x \in set : \A y \in set : x <= y
Greatest(set, otherwise) == IF set = {} THEN otherwise ELSE CHOOSE x \in set : \A y \in set : y <= x

Quorum(set) == 2 * Cardinality(set) > Cardinality(Servers)
Lost(yes, no) == ~Quorum(Servers \ (no \ yes))

---------------------------------------------------------------------------------
(* A server's memory and its disk. *)

Nobody == [s \in Servers |-> 0]
Probing == [s \in Servers |-> "Probe"]

Fresh(image) ==
    [role |-> "Follower", term |-> image.term, vote |-> image.vote, log |-> image.log, commit |-> 0, leader |-> 0,
     yes |-> {}, no |-> {}, match |-> Nobody, next |-> Nobody, flow |-> Probing]

Image(s) == [term |-> s.term, vote |-> s.vote, log |-> s.log]
Written(d, s) == IF Image(s) = d[Len(d)] THEN d ELSE Append(d, Image(s))

(* How much of the current log is durable whatever happens: what all images share. *)
Shared(log, d) ==
    Least({k \in 1..Len(log) : \E i \in 1..Len(d) : Len(d[i].log) < k \/ d[i].log[k] # log[k]}, Len(log) + 1) - 1
Persisted(d) == Shared(d[Len(d)].log, d)

(* How many images must be synced until the current ballot is durable. *)
BallotAt(d) == Greatest({i \in 2..Len(d) : d[i].term # d[i - 1].term \/ d[i].vote # d[i - 1].vote}, 1) - 1

(* What must be durable before a message leaves. *)
After(d, rests) ==
    CASE rests = "Nothing" -> 0
      [] rests = "Ballot" -> BallotAt(d)
      [] rests = "All" -> Len(d) - 1

Say(message, rests) == [message |-> message, rests |-> rests]

---------------------------------------------------------------------------------
(* Roles (core.rs, election.rs). An outcome is a pair: the new memory, and what is said. *)

Outcome(s, says) == [s |-> s, says |-> says]
Silent(s) == Outcome(s, <<>>)

Retired(s) ==
    [s EXCEPT !.role = "Follower", !.yes = {}, !.no = {}, !.match = Nobody, !.next = Nobody, !.flow = Probing]

Following(t, leader) ==
    [Retired(t) EXCEPT !.leader = IF leader # 0 THEN leader ELSE IF t.role = "Leader" THEN 0 ELSE t.leader]
Follow(s, term, leader) ==
    Following(IF term > s.term THEN [s EXCEPT !.term = term, !.vote = 0, !.leader = 0] ELSE s, leader)

(* The values of a function on numbers, as a list in their order. *)
RECURSIVE Each(_, _)
Each(f, numbers) ==
    IF numbers = {} THEN <<>>
    ELSE LET first == CHOOSE x \in numbers : \A y \in numbers : x <= y
         IN <<f[first]>> \o Each(f, numbers \ {first})

Others(n) == Servers \ {n}

Stand(n, s) ==
    LET t == [Retired(s) EXCEPT !.role = "Candidate", !.term = s.term + 1, !.vote = n, !.leader = 0]
        last == Last(t.log)
        ask == [p \in Others(n) |-> Say([from |-> n, to |-> p, kind |-> "Vote", term |-> t.term, last |-> last], "Ballot")]
    IN Outcome(t, Each(ask, Others(n)))

(* Sends a follower what it lacks, if its window allows (replication.rs, progress.rs, with a window of one). *)
MaySend(s, p) == s.flow[p] \in {"Probe", "Stream"} /\ s.next[p] <= Len(s.log)
ReplicateTo(n, s, p) ==
    IF ~Exact \/ ~MaySend(s, p) THEN Silent(s)
    ELSE LET after == s.next[p] - 1
             message == [from |-> n, to |-> p, kind |-> "Append", term |-> s.term,
                         after |-> <<TermAt(s.log, after), after>>,
                         entries |-> SubSeq(s.log, after + 1, Len(s.log)), commit |-> s.commit]
             t == IF s.flow[p] = "Probe" THEN [s EXCEPT !.flow[p] = "Waiting"]
                  ELSE [s EXCEPT !.flow[p] = "Full", !.next[p] = Len(s.log) + 1]
         IN Outcome(t, <<Say(message, "Nothing")>>)

RECURSIVE ReplicateToAll(_, _, _)
ReplicateToAll(n, s, servers) ==
    IF servers = {} THEN Silent(s)
    ELSE LET p == CHOOSE x \in servers : \A y \in servers : x <= y
             first == ReplicateTo(n, s, p)
             rest == ReplicateToAll(n, first.s, servers \ {p})
         IN Outcome(rest.s, first.says \o rest.says)
Replicate(n, s) == ReplicateToAll(n, s, Others(n))

(* Figure 2, leaders: a majority holds it durably, and it is of the leader's own term. *)
CommittedTo(s, index) ==
    IF index > s.commit /\ (s.log[index] = s.term \/ Fault = "commit-older-term") THEN [s EXCEPT !.commit = index] ELSE s
Advanced(s, reached) ==
    CommittedTo(s, s.commit
        + Cardinality({i \in (s.commit + 1)..Len(s.log) : Quorum({p \in Servers : reached[p] >= i})}))
AdvanceCommit(n, s, d) ==
    IF s.role # "Leader" THEN s ELSE Advanced(s, [s.match EXCEPT ![n] = Persisted(d)])

Leading(n, t, d) == Replicate(n, AdvanceCommit(n, t, Written(d, t)))
Lead(n, s, d) ==
    Leading(n, [Retired(s) EXCEPT !.role = "Leader", !.leader = n, !.log = Append(s.log, s.term),
                    !.next = IF Exact THEN [p \in Servers |-> IF p = n THEN 0 ELSE Len(s.log) + 1] ELSE Nobody], d)

(* Counts answers: wins, loses, or waits. *)
Tally(n, s, d) ==
    IF Quorum(s.yes) THEN IF s.role = "Candidate" THEN Lead(n, s, d) ELSE Stand(n, s)
    ELSE IF Lost(s.yes, s.no) THEN Silent(Follow(s, s.term, 0))
    ELSE Silent(s)

CampaignOf(n, s, d) ==
    IF ~PreVotes THEN Stand(n, [s EXCEPT !.leader = 0])
    ELSE LET t == [Retired(s) EXCEPT !.role = "PreCandidate", !.yes = {n}, !.leader = 0]
             last == Last(t.log)
             ask == [p \in Others(n) |-> Say([from |-> n, to |-> p, kind |-> "PreVote", term |-> t.term,
                                              proposed |-> t.term + 1, last |-> last], "Ballot")]
             won == Tally(n, t, d)
         IN Outcome(won.s, Each(ask, Others(n)) \o won.says)

---------------------------------------------------------------------------------
(* Messages, as a server of the message's own term or later takes them. *)

Reply(n, m, kind, s) == [from |-> n, to |-> m.from, kind |-> kind, term |-> s.term]

(* A lease may withhold a pre-vote; that is all it may do here. *)
OnPreVote(n, s, m, withheld) ==
    LET granted == m.proposed > s.term /\ AtLeast(m.last, Last(s.log)) /\ ~withheld
        reply == [from |-> n, to |-> m.from, kind |-> "PreVoteReply", term |-> s.term, proposed |-> m.proposed,
                  granted |-> granted]
    IN Outcome(s, <<Say(reply, "Ballot")>>)

Counted(s, m) == IF m.granted THEN [s EXCEPT !.yes = @ \cup {m.from}] ELSE [s EXCEPT !.no = @ \cup {m.from}]

OnPreVoteReply(n, s, d, m) ==
    IF s.role = "PreCandidate" /\ m.proposed = s.term + 1 THEN Tally(n, Counted(s, m), d) ELSE Silent(s)

OnVote(n, s, m) ==
    LET granted == s.vote \in {0, m.from} /\ AtLeast(m.last, Last(s.log)) /\ s.role # "Leader"
        t == IF granted THEN [s EXCEPT !.vote = m.from] ELSE s
        reply == [from |-> n, to |-> m.from, kind |-> "VoteReply", term |-> s.term, granted |-> granted]
    IN Outcome(t, <<Say(reply, "Ballot")>>)

OnVoteReply(n, s, d, m) == IF s.role = "Candidate" THEN Tally(n, Counted(s, m), d) ELSE Silent(s)

(* Figure 2, AppendEntries rules 2 to 5. *)
Agrees(log, after) == after[2] <= Len(log) /\ TermAt(log, after[2]) = after[1]
Hint(log, after) == IF after[2] > Len(log) THEN Last(log) ELSE LastAtMost(log, after[2] - 1, after[1])
MergedFrom(log, after, entries, i) ==
    IF i = 0 THEN log ELSE Front(log, after + i - 1) \o SubSeq(entries, i, Len(entries))
Merged(log, after, entries) ==
    MergedFrom(log, after, entries,
        Least({i \in 1..Len(entries) : after + i > Len(log) \/ log[after + i] # entries[i]}, 0))

Refuse(n, t, m) ==
    Outcome(t, <<Say([from |-> n, to |-> m.from, kind |-> "Conflict", term |-> t.term, refused |-> m.after[2],
                      hint |-> Hint(t.log, m.after)], "Ballot")>>)
Accept(n, t, d, m, matched) ==
    Outcome(t, <<Say([from |-> n, to |-> m.from, kind |-> "Appended", term |-> t.term, matched |-> matched],
                     IF Fault = "answer-before-sync" THEN "Nothing"
                     ELSE IF matched <= Persisted(Written(d, t)) THEN "Ballot" ELSE "All")>>)
Obeying(n, t, d, m, matched) ==
    IF ~Agrees(t.log, m.after) THEN Refuse(n, t, m)
    ELSE Accept(n, [t EXCEPT !.log = Merged(@, m.after[2], m.entries), !.commit = Max(@, Min(m.commit, matched))], d, m,
                matched)
OnAppend(n, s, d, m) == Obeying(n, Follow(s, s.term, m.from), d, m, m.after[2] + Len(m.entries))

OnHeartbeat(n, s, m) ==
    LET t == Follow(s, s.term, m.from)
        u == [t EXCEPT !.commit = Max(@, Min(m.commit, Len(t.log)))]
    IN Outcome(u, <<Say(Reply(n, m, "HeartbeatReply", t), "Ballot")>>)

OnAppended(n, s, d, m) ==
    IF s.role # "Leader" THEN Silent(s)
    ELSE LET p == m.from
             known == Max(s.match[p], m.matched)
             streams == s.flow[p] \in {"Stream", "Full"}
             next == IF streams THEN Max(s.next[p], known + 1) ELSE known + 1
             flow == IF s.flow[p] = "Full" /\ s.next[p] - 1 > known THEN "Full" ELSE "Stream"
             t == [s EXCEPT !.match[p] = known, !.next[p] = IF Exact THEN next ELSE @,
                            !.flow[p] = IF Exact THEN flow ELSE @]
         IN ReplicateTo(n, AdvanceCommit(n, t, d), p)

OnConflict(n, s, d, m) ==
    IF s.role # "Leader" THEN Silent(s)
    ELSE LET p == m.from
             best == LastAtMost(s.log, Min(m.hint[2], m.refused - 1), m.hint[1])[2]
             stale == m.refused <= s.match[p] \/ m.refused >= s.next[p]
             t == [s EXCEPT !.next[p] = Max(best, s.match[p]) + 1, !.flow[p] = "Probe"]
         IN IF ~Exact \/ stale THEN Silent(s) ELSE ReplicateTo(n, AdvanceCommit(n, t, d), p)

OnOlder(n, s, m) ==
    IF m.kind = "Vote" THEN
        Outcome(s, <<Say([from |-> n, to |-> m.from, kind |-> "VoteReply", term |-> s.term, granted |-> FALSE], "Ballot")>>)
    ELSE IF m.kind \in {"Append", "Heartbeat"} THEN Outcome(s, <<Say(Reply(n, m, "Outdated", s), "Ballot")>>)
    ELSE Silent(s)

(* "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (figure 2). A
   pre-vote speaks of a term to come and moves nobody. *)
Taken(n, t, d, m) ==
    CASE m.kind = "PreVoteReply" -> OnPreVoteReply(n, t, d, m)
      [] m.kind # "PreVoteReply" /\ m.term < t.term -> OnOlder(n, t, m)
      [] m.kind = "Vote" /\ m.term >= t.term -> OnVote(n, t, m)
      [] m.kind = "VoteReply" /\ m.term >= t.term -> OnVoteReply(n, t, d, m)
      [] m.kind = "Append" /\ m.term >= t.term -> OnAppend(n, t, d, m)
      [] m.kind = "Appended" /\ m.term >= t.term -> OnAppended(n, t, d, m)
      [] m.kind = "Conflict" /\ m.term >= t.term -> OnConflict(n, t, d, m)
      [] m.kind = "Heartbeat" /\ m.term >= t.term -> OnHeartbeat(n, t, m)
      [] m.kind \in {"HeartbeatReply", "Outdated"} /\ m.term >= t.term -> Silent(t)
Received(n, s, d, m, withheld) ==
    IF m.kind = "PreVote" THEN OnPreVote(n, s, m, withheld)
    ELSE Taken(n, IF m.term > s.term THEN Follow(s, m.term, 0) ELSE s, d, m)

(* A term has one leader, and it never hears from another; a leader holds what is committed. *)
Expected(s, m) ==
    m.kind \in {"Append", "Heartbeat"} /\ m.term = s.term =>
        /\ s.role # "Leader" /\ s.leader \in {0, m.from}
        /\ m.kind = "Append" /\ m.after[2] <= s.commit => TermAt(s.log, m.after[2]) = m.after[1]

---------------------------------------------------------------------------------
(* What a step does to the world. *)

(* What a leader may say at any time: a part of its log, and a commit index that the receiver can bear. *)
Justified(n, s, m) ==
    /\ s.role = "Leader" /\ m.from = n /\ m.to # n /\ m.term = s.term
    /\ \/ /\ m.kind = "Append" /\ m.commit <= s.commit
          /\ LET after == m.after[2]
             IN /\ after + Len(m.entries) <= Len(s.log) /\ TermAt(s.log, after) = m.after[1]
                /\ \A i \in 1..Len(m.entries) : m.entries[i] = s.log[after + i]
       \/ m.kind = "Heartbeat" /\ m.commit <= Min(s.commit, s.match[m.to])

(* Messages leave: any of them may be lost; those that are not must fit. *)
Leaves(base, list, n, s) ==
    IF Exact
    THEN \E chosen \in IF Loss THEN SUBSET (1..Len(list)) ELSE {1..Len(list)} :
            /\ Size(base) + Cardinality(chosen) <= InFlight
            /\ net' = WithChosen(base, list, chosen, 1)
    ELSE /\ \A m \in DOMAIN base : m \in DOMAIN net'
         /\ \A i \in 1..Len(list) : list[i] \in DOMAIN net'
         /\ \A m \in DOMAIN net' :
                m \in DOMAIN base \/ (\E i \in 1..Len(list) : list[i] = m) \/ Justified(n, s, m)

(* Which messages leave now and which wait, and the disk: computed once for a step. *)
RECURSIVE Sorted(_, _, _, _, _)
Sorted(images, says, at, now, later) ==
    IF at > Len(says) THEN [images |-> images, now |-> now, later |-> later]
    ELSE LET due == After(images, says[at].rests)
             message == says[at].message
         IN IF due = 0 THEN Sorted(images, says, at + 1, Append(now, message), later)
            ELSE Sorted(images, says, at + 1, now, With(later, [after |-> due, message |-> message]))

(* Server n takes a step with this outcome. `base` is the network without what was consumed, `d` the disk and `waits` the
   seals before it, `opened` the messages whose seals a receipt has opened. (`\E x \in {e}` binds a value once.) *)
Takes(n, outcome, base, d, waits, opened) ==
    \E s \in {outcome.s} :
    \E sorted \in {Sorted(Written(d, s), outcome.says, 1, opened, waits)} :
        /\ Len(sorted.images) <= Unsynced + 1
        /\ Size(sorted.later) <= Sealed
        /\ node' = [node EXCEPT ![n] = s]
        /\ disk' = [disk EXCEPT ![n] = sorted.images]
        /\ sealed' = [sealed EXCEPT ![n] = sorted.later]
        /\ Leaves(base, sorted.now, n, s)
        /\ decided' = IF s.commit > Len(decided) THEN Front(s.log, s.commit) ELSE decided
        /\ led' = IF s.role = "Leader" /\ s.term \in DOMAIN led /\ led[s.term] = 0 THEN [led EXCEPT ![s.term] = n] ELSE led

Spend(what) == spent' = [spent EXCEPT ![what] = @ + 1]

Campaign(n) ==
    /\ n \in Campaigners /\ node[n].role # "Leader" /\ node[n].term < MaxTerm
    /\ \E outcome \in {CampaignOf(n, node[n], disk[n])} : Takes(n, outcome, net, disk[n], sealed[n], <<>>)
    /\ UNCHANGED spent

Withholds(n, m) == IF Exact THEN {FALSE} ELSE {FALSE, TRUE}

Receive(m) ==
    /\ Expected(node[m.to], m)
    /\ \E withheld \in Withholds(m.to, m) :
       \E outcome \in {Received(m.to, node[m.to], disk[m.to], m, withheld)} :
       \E base \in {Without(net, m)} : Takes(m.to, outcome, base, disk[m.to], sealed[m.to], <<>>)
    /\ UNCHANGED spent

(* The network delivers a message and keeps it. *)
Duplicate(m) ==
    /\ spent.duplicates < Duplicates
    /\ Expected(node[m.to], m)
    /\ \E outcome \in {Received(m.to, node[m.to], disk[m.to], m, FALSE)} :
           Takes(m.to, outcome, net, disk[m.to], sealed[m.to], <<>>)
    /\ Spend("duplicates")

Propose(n) ==
    /\ node[n].role = "Leader" /\ Len(node[n].log) < MaxLog /\ spent.proposals < Proposals
    /\ \E s \in {[node[n] EXCEPT !.log = Append(@, node[n].term)]} :
       \E outcome \in {Replicate(n, AdvanceCommit(n, s, Written(disk[n], s)))} :
           Takes(n, outcome, net, disk[n], sealed[n], <<>>)
    /\ Spend("proposals")

(* A heartbeat interval passes twice: what was unanswered goes out again. *)
Beat(n, s, to) ==
    Say([from |-> n, to |-> to, kind |-> "Heartbeat", term |-> s.term, commit |-> Min(s.commit, s.match[to])], "Nothing")
Reminded(n, s) ==
    LET late == {p \in Others(n) : s.flow[p] \in {"Waiting", "Full"}}
        next == [p \in Servers |-> IF p \in late /\ s.flow[p] = "Full" THEN s.match[p] + 1 ELSE s.next[p]]
        flow == [p \in Servers |-> IF p \in late THEN "Probe" ELSE s.flow[p]]
        beats == Each([p \in Others(n) |-> Beat(n, s, p)], Others(n))
        sends == Replicate(n, [s EXCEPT !.next = next, !.flow = flow])
    IN Outcome(sends.s, beats \o sends.says)

Interval(n) ==
    /\ node[n].role = "Leader" /\ Exact
    /\ IF Endless THEN net = Empty /\ \A p \in Servers : Len(disk[p]) = 1 ELSE spent.intervals < Intervals
    /\ \E outcome \in {Reminded(n, node[n])} : Takes(n, outcome, net, disk[n], sealed[n], <<>>)
    /\ IF Endless THEN UNCHANGED spent ELSE Spend("intervals")

(* A candidate's own vote and a leader's own log count once they are durable (raft_s06). *)
Counting(n, voted, d) == Outcome(AdvanceCommit(n, voted.s, Written(d, voted.s)), voted.says)
Durable(n, s, d) ==
    Counting(n, IF s.role = "Candidate" /\ n \notin s.yes /\ BallotAt(d) = 0
                THEN Tally(n, [s EXCEPT !.yes = @ \cup {n}], d) ELSE Silent(s), d)

Shifted(bag, elements, k) ==
    [y \in {[after |-> x.after - k, message |-> x.message] : x \in elements} |->
        bag[[after |-> y.after + k, message |-> y.message]]]

(* A sync ends: k more images are durable. What waited for them leaves, and the server learns of it. *)
Persist(n, k) ==
    /\ k \in 1..(Len(disk[n]) - 1)
    /\ \E d \in {SubSeq(disk[n], k + 1, Len(disk[n]))} :
       \E open \in {{x \in DOMAIN sealed[n] : x.after <= k}} :
       \E outcome \in {Durable(n, node[n], d)} :
           Takes(n, outcome, net, d, Shifted(sealed[n], DOMAIN sealed[n] \ open, k), ListOf(sealed[n], open))
    /\ UNCHANGED spent

(* The power goes: of the unsynced writes the first k survive. The server starts again at once; one that is down for long
   is one that hears nothing for long. *)
Crash(n, k) ==
    /\ spent.crashes < Crashes
    /\ k \in 1..Len(disk[n])
    /\ LET left == IF Fault = "drop-vote" THEN [disk[n][k] EXCEPT !.vote = 0] ELSE disk[n][k]
       IN /\ node' = [node EXCEPT ![n] = Fresh(left)]
          /\ disk' = [disk EXCEPT ![n] = <<left>>]
    /\ sealed' = [sealed EXCEPT ![n] = Empty]
    /\ Spend("crashes")
    /\ UNCHANGED <<net, decided, led>>

---------------------------------------------------------------------------------
(* What only traces need (Exact = FALSE): see above. *)

(* A step that changes nothing in memory: a clock, a read, a refused proposal. A leader may use it to send. *)
Quiet(n) == ~Exact /\ Takes(n, Silent(node[n]), net, disk[n], sealed[n], <<>>) /\ UNCHANGED spent

(* A leader that hears from no quorum gives up (thesis, section 6.2). *)
Resign(n) ==
    /\ ~Exact /\ node[n].role = "Leader"
    /\ Takes(n, Silent(Follow(node[n], node[n].term, 0)), net, disk[n], sealed[n], <<>>)
    /\ UNCHANGED spent

(* A server that hears from a leader does not even look at a later term's request for its vote (thesis, section 4.2.3). *)
Ignore(m) ==
    /\ ~Exact /\ m.kind = "Vote" /\ m.term > node[m.to].term
    /\ Takes(m.to, Silent(node[m.to]), Without(net, m), disk[m.to], sealed[m.to], <<>>)
    /\ UNCHANGED spent

(* Several entries at once. *)
ProposeMany(n, count) ==
    /\ ~Exact /\ node[n].role = "Leader"
    /\ \E s \in {[node[n] EXCEPT !.log = @ \o [i \in 1..count |-> node[n].term]]} :
       \E outcome \in {Silent(AdvanceCommit(n, s, Written(disk[n], s)))} :
           Takes(n, outcome, net, disk[n], sealed[n], <<>>)
    /\ UNCHANGED spent

---------------------------------------------------------------------------------
Blank == [term |-> 0, vote |-> 0, log |-> <<>>]

Init ==
    /\ node = [n \in Servers |-> Fresh(Blank)]
    /\ disk = [n \in Servers |-> <<Blank>>]
    /\ sealed = [n \in Servers |-> Empty]
    /\ net = Empty
    /\ spent = [proposals |-> 0, crashes |-> 0, duplicates |-> 0, intervals |-> 0]
    /\ decided = <<>>
    /\ led = [t \in 1..MaxTerm |-> 0]

(* Figure 8 (c) of the paper with three servers: 1 led term 1 and reached 3, 2 led term 2 and reached nobody, 1 leads term 3,
   and its disk has not its new entry yet. *)
InitFigure8 ==
    LET Held(term, vote, log) == [term |-> term, vote |-> vote, log |-> log]
        leading == [Fresh(Held(3, 1, <<1, 3>>)) EXCEPT !.role = "Leader", !.leader = 1,
                        !.next = [p \in Servers |-> IF p = 1 THEN 0 ELSE 2]]
        first == Held(3, 1, <<1>>)
        second == Held(2, 2, <<2>>)
        third == Held(3, 1, <<1>>)
    IN /\ node = [n \in Servers |-> IF n = 1 THEN leading ELSE IF n = 2 THEN Fresh(second) ELSE Fresh(third)]
       /\ disk = [n \in Servers |-> IF n = 1 THEN <<first, Held(3, 1, <<1, 3>>)>> ELSE IF n = 2 THEN <<second>> ELSE <<third>>]
       /\ sealed = [n \in Servers |-> Empty]
       /\ net = With(Empty, [from |-> 1, to |-> 3, kind |-> "Append", term |-> 3, after |-> <<1, 1>>, entries |-> <<3>>,
                              commit |-> 0])
       /\ spent = [proposals |-> 0, crashes |-> 0, duplicates |-> 0, intervals |-> 0]
       /\ decided = <<>>
       /\ led = [t \in 1..MaxTerm |-> t % 2 + IF t = 2 THEN 2 ELSE 0]

Next ==
    \/ \E n \in Servers : Campaign(n) \/ Propose(n) \/ Interval(n)
    \/ \E n \in Servers : \E k \in 1..(Unsynced + 1) : Persist(n, k) \/ Crash(n, k)
    \/ \E m \in DOMAIN net : Receive(m) \/ Duplicate(m)

Spec == Init /\ [][Next]_vars

---------------------------------------------------------------------------------
(* Safety (figure 3 of the Raft paper, and what this implementation adds). *)

Roles == {"Follower", "PreCandidate", "Candidate", "Leader"}
TypeOK ==
    /\ \A n \in Servers :
        /\ node[n].role \in Roles /\ node[n].term \in 0..MaxTerm
        /\ node[n].vote \in Servers \cup {0} /\ node[n].leader \in Servers \cup {0}
        /\ node[n].commit \in 0..Len(node[n].log)
        /\ node[n].yes \subseteq Servers /\ node[n].no \subseteq Servers
        /\ \A p \in Servers : node[n].flow[p] \in {"Probe", "Waiting", "Stream", "Full"}
        /\ Len(disk[n]) \in 1..(Unsynced + 1)
        /\ disk[n][Len(disk[n])] = Image(node[n])
        /\ Size(sealed[n]) <= Sealed
        /\ \A x \in DOMAIN sealed[n] : x.after \in 1..(Len(disk[n]) - 1) /\ x.message.from = n
    /\ Size(net) <= InFlight
    /\ \A m \in DOMAIN net : m.from \in Servers /\ m.to \in Servers \ {m.from} /\ net[m] > 0

(* "At most one leader can be elected in a given term." *)
ElectionSafety == \A n \in Servers : node[n].role = "Leader" => led[node[n].term] = n

(* "If two logs contain an entry with the same index and term, then the logs are identical up to that index." *)
LogMatching ==
    \A a, b \in Servers : a < b =>
        \A i \in 1..Min(Len(node[a].log), Len(node[b].log)) :
            node[a].log[i] = node[b].log[i] => Front(node[a].log, i) = Front(node[b].log, i)

(* "If a log entry is committed in a given term, it will be present in the logs of the leaders for all higher-numbered
   terms." The leader of the newest term that ever had one stands for all. *)
LeaderCompleteness ==
    \A n \in Servers :
        (node[n].role = "Leader" /\ \A t \in (node[n].term + 1)..MaxTerm : led[t] = 0) => IsPrefix(decided, node[n].log)

(* "No other server will ever apply a different log entry for the same index." *)
StateMachineSafety == \A n \in Servers : IsPrefix(Front(node[n].log, node[n].commit), decided)

(* What is committed survives the loss of power everywhere at once. *)
CommittedIsDurable == Quorum({n \in Servers : IsPrefix(decided, disk[n][1].log)})

(* Whoever could be elected by what is durable holds what is decided: the reason behind leader completeness, and the
   first thing that goes wrong in figure 8. *)
ElectableHold ==
    \A n \in Servers :
        Quorum({v \in Servers : v = n \/ AtLeast(Last(node[n].log), Last(disk[v][1].log))}) => IsPrefix(decided, node[n].log)

(* A vote that somebody was told of is durable (raft_s01, raft_s05). *)
NoPromiseBeforeSync ==
    \A m \in DOMAIN net :
        /\ (m.kind = "VoteReply" /\ m.granted) =>
            (disk[m.from][1].term > m.term \/ (disk[m.from][1].term = m.term /\ disk[m.from][1].vote = m.to))
        /\ m.kind = "Vote" => (disk[m.from][1].term > m.term \/ (disk[m.from][1].term = m.term /\ disk[m.from][1].vote = m.from))

(* "A leader never overwrites or deletes entries in its log; it only appends new entries." *)
LeaderAppendOnly ==
    [][\A n \in Servers : (node[n].role = "Leader" /\ node'[n].role = "Leader" /\ node'[n].term = node[n].term)
                              => IsPrefix(node[n].log, node'[n].log)]_vars

(* What was decided stays decided; what is durable of a term and a vote never goes back. *)
DecidedGrows == [][IsPrefix(decided, decided')]_vars
BallotsRise ==
    [][\A n \in Servers :
        /\ disk'[n][1].term >= disk[n][1].term
        /\ (disk'[n][1].term = disk[n][1].term /\ disk[n][1].vote # 0) => disk'[n][1].vote = disk[n][1].vote]_vars

---------------------------------------------------------------------------------
(* Liveness, in a world without loss and crashes where one server campaigns and intervals never end. Fairness: every sync
   ends, time passes, and of every kind of message between two servers some are delivered again and again. *)

Requests == {"PreVote", "Vote", "Append", "Heartbeat"}
Replies == {"PreVoteReply", "VoteReply", "Appended", "HeartbeatReply"}
Some(a, b, kind) == \E m \in DOMAIN net : m.from = a /\ m.to = b /\ m.kind = kind /\ Receive(m)

MovesOn ==
    \A n \in Campaigners :
        /\ WF_vars(Interval(n)) /\ WF_vars(Campaign(n) /\ node[n].role = "Follower")
        /\ \A p \in Servers \ {n} :
            /\ \A kind \in Requests : WF_vars(Some(n, p, kind))
            /\ \A kind \in Replies : WF_vars(Some(p, n, kind))
Syncs == \A n \in Servers : WF_vars(Persist(n, 1))

FairSpec == Spec /\ MovesOn /\ Syncs
FairButForDisks == Spec /\ MovesOn

EverybodyCommits == <>[](\A n \in Servers : node[n].commit > 0)
=================================================================================
