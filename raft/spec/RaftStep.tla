-------------------------------- MODULE RaftStep --------------------------------
(* Asks Raft whether one given step is allowed. The variable `hint` names the action and what it is about, so that the
   one action is evaluated instead of all; it allows nothing that the module does not. *)
EXTENDS Raft

VARIABLE hint

Hinted ==
    \E n \in {hint.server} :
        \/ hint.action = "Campaign" /\ Campaign(n)
        \/ hint.action = "Propose" /\ Propose(n)
        \/ hint.action = "Interval" /\ Interval(n)
        \/ hint.action = "Quiet" /\ Quiet(n)
        \/ hint.action = "Resign" /\ Resign(n)
        \/ hint.action = "Persist" /\ \E k \in {hint.count} : Persist(n, k)
        \/ hint.action = "Crash" /\ \E k \in {hint.count} : Crash(n, k)
        \/ hint.action = "ProposeMany" /\ \E k \in {hint.count} : ProposeMany(n, k)
        \/ hint.action = "Receive" /\ \E m \in {hint.message} : Receive(m)
        \/ hint.action = "Duplicate" /\ \E m \in {hint.message} : Duplicate(m)
        \/ hint.action = "Ignore" /\ \E m \in {hint.message} : Ignore(m)

(* What the module makes of the server that the hint names, for the reader of a refusal: the outcome of its action. *)
Made(n, action, m, count) ==
    CASE action = "Campaign" -> CampaignOf(n, node[n], disk[n])
      [] action \in {"Receive", "Duplicate"} -> Received(n, node[n], disk[n], m, FALSE)
      [] action = "Interval" -> Reminded(n, node[n])
      [] action = "Persist" -> Durable(n, node[n], SubSeq(disk[n], count + 1, Len(disk[n])))
      [] action = "Resign" -> Silent(Follow(node[n], node[n].term, 0))
      [] action = "Crash" -> Silent(Fresh(disk[n][count]))
      [] action \in {"Propose", "ProposeMany", "Quiet", "Ignore"} -> Silent(node[n])
Told == CHOOSE outcome \in {Made(hint.server, hint.action, hint.message, hint.count)} : TRUE
=================================================================================
