----------------------------- MODULE Uploader -----------------------------
(***************************************************************************)
(* Users upload, edit and delete one content; workers take messages from a *)
(* queue, process what was uploaded and link the result, which readers     *)
(* see.  A processed file that nothing links is an orphan and costs money  *)
(* for ever.  Four stages: each but the last has a mistake that the        *)
(* checker finds.                                                          *)
(***************************************************************************)
EXTENDS Naturals, Sequences

CONSTANT Stage
ASSUME Stage \in 1..4

\* Versions of the content: created as 1, edited to 2.
Max == 2
Versions == 1..Max

Workers == IF Stage <= 2 THEN {1} ELSE {1, 2}
\* The message is queued before the upload is stored.
AnnounceFirst == Stage = 1
\* A worker may crash; the message that it held is delivered again.
Crashes == Stage # 1
\* A version check when linking, and a cleaner.
Checked == Stage = 4

VARIABLES
    sent,       \* versions whose message the user has put into the queue
    stored,     \* versions whose upload is stored
    deleted,    \* the user has deleted the content
    queue,      \* versions, head first
    worker,     \* what each worker does
    link,       \* the version that readers are shown; 0 for none
    outputs     \* processed versions in the content store

vars == <<sent, stored, deleted, queue, worker, link, outputs>>

Idle == [phase |-> "idle", version |-> 0, old |-> 0]
Phases == {"idle", "taken", "written", "done", "lost"}

TypeOK ==
    /\ sent \in 0..Max
    /\ stored \in 0..Max
    /\ deleted \in BOOLEAN
    /\ queue \in Seq(Versions)
    /\ worker \in [Workers -> [phase: Phases, version: 0..Max, old: 0..Max]]
    /\ link \in 0..Max
    /\ outputs \subseteq Versions

Init ==
    /\ sent = 0
    /\ stored = 0
    /\ deleted = FALSE
    /\ queue = <<>>
    /\ worker = [w \in Workers |-> Idle]
    /\ link = 0
    /\ outputs = {}

---------------------------------------------------------------------------
(* The user. *)

Upload ==
    /\ ~deleted
    /\ sent = stored
    /\ sent < Max
    /\ sent' = sent + 1
    /\ stored' = IF AnnounceFirst THEN stored ELSE sent + 1
    /\ queue' = Append(queue, sent + 1)
    /\ UNCHANGED <<deleted, worker, link, outputs>>

\* Only needed where the message goes first.
Store ==
    /\ sent > stored
    /\ stored' = sent
    /\ UNCHANGED <<sent, deleted, queue, worker, link, outputs>>

Delete ==
    /\ ~deleted
    /\ stored > 0
    /\ sent = stored
    /\ deleted' = TRUE
    /\ link' = 0
    /\ outputs' = outputs \ {link}
    /\ UNCHANGED <<sent, stored, queue, worker>>

---------------------------------------------------------------------------
(* A worker. *)

\* It remembers what is linked now, to remove it later. It is lost when there is nothing to process.
Take(w) ==
    /\ worker[w] = Idle
    /\ queue # <<>>
    /\ LET v == Head(queue) IN
       worker' = [worker EXCEPT ![w] =
           IF v > stored THEN [phase |-> "lost", version |-> v, old |-> 0]
           ELSE [phase |-> "taken", version |-> v, old |-> IF Checked THEN 0 ELSE link]]
    /\ queue' = Tail(queue)
    /\ UNCHANGED <<sent, stored, deleted, link, outputs>>

Write(w) ==
    /\ worker[w].phase = "taken"
    /\ outputs' = outputs \cup {worker[w].version}
    /\ worker' = [worker EXCEPT ![w].phase = "written"]
    /\ UNCHANGED <<sent, stored, deleted, queue, link>>

\* With the check a version is linked only over an older one; what it replaces is the cleaner's to remove.
LinkChecked(v) ==
    /\ link' = IF ~deleted /\ v > link THEN v ELSE link
    /\ UNCHANGED outputs

\* Without it the worker links what it has and removes what it saw linked, however long ago.
LinkUnchecked(v, old) ==
    IF deleted
    THEN /\ outputs' = outputs \ {v}
         /\ UNCHANGED link
    ELSE /\ link' = v
         /\ outputs' = IF old # v THEN outputs \ {old} ELSE outputs

Link(w) ==
    /\ worker[w].phase = "written"
    /\ IF Checked
       THEN LinkChecked(worker[w].version)
       ELSE LinkUnchecked(worker[w].version, worker[w].old)
    /\ worker' = [worker EXCEPT ![w].phase = "done", ![w].old = 0]
    /\ UNCHANGED <<sent, stored, deleted, queue>>

Ack(w) ==
    /\ worker[w].phase = "done"
    /\ worker' = [worker EXCEPT ![w] = Idle]
    /\ UNCHANGED <<sent, stored, deleted, queue, link, outputs>>

Crash(w) ==
    /\ Crashes
    /\ worker[w].phase \in {"taken", "written", "done"}
    /\ queue' = <<worker[w].version>> \o queue
    /\ worker' = [worker EXCEPT ![w] = Idle]
    /\ UNCHANGED <<sent, stored, deleted, link, outputs>>

---------------------------------------------------------------------------
(* The cleaner removes what no reader is or will be shown. *)

Removable(v) ==
    /\ Checked
    /\ v \in outputs
    /\ v # link
    /\ deleted \/ v < link

Clean(v) ==
    /\ Removable(v)
    /\ outputs' = outputs \ {v}
    /\ UNCHANGED <<sent, stored, deleted, queue, worker, link>>

---------------------------------------------------------------------------

Next ==
    \/ Upload
    \/ Store
    \/ Delete
    \/ \E w \in Workers : Take(w) \/ Write(w) \/ Link(w) \/ Ack(w) \/ Crash(w)
    \/ \E v \in Versions : Clean(v)

Takes == \E w \in Workers : Take(w)
Writes == \E w \in Workers : Write(w)
Links == \E w \in Workers : Link(w)
Acks == \E w \in Workers : Ack(w)
Cleans == \E v \in Versions : Clean(v)

\* The user owes nothing; nobody owes a crash.
FairWeak == WF_vars(Takes) /\ WF_vars(Cleans) /\ WF_vars(Writes) /\ WF_vars(Links) /\ WF_vars(Acks)
FairStrong == WF_vars(Takes) /\ WF_vars(Cleans) /\ SF_vars(Writes) /\ SF_vars(Links) /\ SF_vars(Acks)

\* Work that a crash takes away again and again gets done at last.
Spec == Init /\ [][Next]_vars /\ FairStrong
\* It need never get done: the mistake of stage 2.
SpecWeak == Init /\ [][Next]_vars /\ FairWeak

---------------------------------------------------------------------------
(* Safety. *)

\* A worker finds the upload that its message speaks of.
Found == \A w \in Workers : worker[w].phase # "lost"

\* What readers are shown is there.
LinkWhole == link # 0 => link \in outputs

\* When everything is quiet, no file lies about that nothing links.
Quiet ==
    /\ queue = <<>>
    /\ \A w \in Workers : worker[w] = Idle
    /\ \A v \in Versions : ~Removable(v)
NoOrphan == Quiet => outputs \ {link} = {}

\* Readers never go back to an older version.
NewerStays == [][link' = 0 \/ link' >= link]_vars

(* Liveness. *)

\* What readers should be shown.
Record == IF deleted THEN 0 ELSE stored

\* The newest upload is linked, unless it is deleted.
Served == (Record # 0 /\ link # Record) ~> (link = Record \/ Record = 0)

\* A file that nothing links goes away.
Tidied == (outputs \ {link} # {}) ~> (outputs \ {link} = {})

(* Must be reached: expected to be violated, or the rest shows nothing. *)
NeverEdited == link # 2
NeverGone == ~(deleted /\ queue = <<>> /\ (\A w \in Workers : worker[w] = Idle) /\ outputs = {})
===========================================================================
