//! The runs of the gallery.

use synod_picture::{Frame, Run};

/// Where a run comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A recorded script of `raft/tests/scripts`.
    Script(&'static str),
    /// A simulated world of so many nodes: seed, and a planted fault.
    World(u64, u64, Option<&'static str>),
    /// A stage of the uploader, and the property that breaks.
    Uploader(u8, &'static str),
}

/// A run that is worth a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) source: Source,
    /// What there is to see, what would be wrong, why it is not.
    pub(super) story: [&'static str; 3],
    /// First and last step of the picture; the page has all of it, and opens there unless something broke.
    pub(super) part: (usize, Option<usize>),
    /// What the picture leaves out.
    pub(super) without: &'static [&'static str],
}

impl Entry {
    /// Where the page opens.
    pub(super) fn open_at(&self, run: &Run) -> String {
        // What happens for ever has no step that broke it.
        if run.violation.is_some() && self.name != "uploader-crashes" {
            return "axis=order&open=violation".to_owned();
        }
        let number = |step: usize| run.steps.get(step).or(run.steps.last()).map_or(0, |step| step.number);
        let (from, to) = self.part;
        format!("axis=order&from={}&to={}", number(from), number(to.unwrap_or(run.steps.len())))
    }

    pub(super) fn frame(&self) -> Frame {
        let without = self.without.iter().map(|kind| (*kind).to_owned()).collect();
        Frame {
            by_time: false,
            from: self.part.0,
            to: self.part.1,
            without,
            lit: self.name == "planted-fault",
            ..Frame::default()
        }
    }
}

/// All of them, in the order of the index.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "split-vote",
        title: "A split vote",
        source: Source::Script("split_vote"),
        story: [
            "Node 4 is down, and nodes 1 and 2 stand for term 1 at the same moment: of the four votes each can get two at most.",
            "Three of four are a majority, so nobody may lead term 1; with two winners, clients could be promised different things.",
            "Everybody waits a random while before the next try, so that one comes first and wins a later term.",
        ],
        part: (8, Some(47)),
        without: &[],
    },
    Entry {
        name: "figure-8",
        title: "Figure 8 of the Raft paper",
        source: Source::Script("figure_8"),
        story: [
            "Node 1 leads term 4 and copies an entry of term 2 to nodes 3 and 4, then loses its power: that entry stands on four of five disks.",
            "Yet node 5, whose log ends in the later term 3, is elected in term 5, and its entry replaces the other on every node.",
            "Had node 1 counted the copies and called the entry committed, a committed entry would be gone: so a leader counts only entries of its own term (section 5.4.2).",
        ],
        part: (13, Some(84)),
        without: &[],
    },
    Entry {
        name: "deposed-leaders-read",
        title: "A deposed leader's read is refused",
        source: Source::Script("deposed_leaders_read"),
        story: [
            "Node 1 leads and is cut off; the others elect another leader and commit a write that node 1 does not know.",
            "A linearizable read that node 1 answered from what it has would miss that write.",
            "It first asks a majority whether it still leads: nobody answers, the first message of the new leader deposes it, and both reads are refused.",
        ],
        part: (30, Some(97)),
        without: &[],
    },
    Entry {
        name: "torn-write",
        title: "A torn write is found at restart",
        source: Source::Script("torn_write"),
        story: [
            "Two entries are on their way to the disk of node 2 when its power fails: the first is whole, the second is torn.",
            "An entry that was acknowledged must not be lost by that, and half an entry must not be taken for a whole one.",
            "Recovery finds the torn tail and drops it; neither was acknowledged, so the leader sends both again, and nobody noticed.",
        ],
        part: (34, None),
        without: &["Heartbeat", "HeartbeatReply"],
    },
    Entry {
        name: "one-way-partition",
        title: "A one-way partition",
        source: Source::Script("one_way_partition"),
        story: [
            "Node 1 leads, and its messages are lost while it still hears the others: they elect node 3, whose first message as leader deposes it.",
            "Further to the right it is the other way round: the heartbeats of node 3 arrive and keep the others quiet, but it hears nobody and can commit nothing.",
            "A leader that hears no majority for an election's time steps down by itself (check-quorum, thesis 6.2), and another takes over.",
        ],
        part: (26, Some(76)),
        without: &[],
    },
    Entry {
        name: "paused-leader",
        title: "A paused leader",
        source: Source::Script("paused_leader"),
        story: [
            "The leader stands still, as in a long pause of its machine; the others elect another and go on without it.",
            "When it wakes it still believes that it leads, takes a client's write and a read, and tells its followers what is out of date.",
            "They answer with a later term, by which it steps down; the write is not acknowledged and the read is refused.",
        ],
        part: (26, Some(78)),
        without: &[],
    },
    Entry {
        name: "uploader-not-found",
        title: "The uploader: a worker cannot find the upload",
        source: Source::Uploader(1, "Found"),
        story: [
            "A user announces an upload in a queue and means to store it afterwards; a worker takes the message in between.",
            "It looks for an upload that is not there: a test in which the user is quick enough never sees this order of steps.",
            "Storing first and announcing then removes it, and does not just make it rare.",
        ],
        part: (0, None),
        without: &[],
    },
    Entry {
        name: "uploader-crashes",
        title: "The uploader: a worker crashes for ever",
        source: Source::Uploader(2, "Served"),
        story: [
            "A worker takes the message and crashes, the message goes back to the queue, and everything is as it was before.",
            "So it can go on for ever without a wrong step, and the upload is never shown: weak fairness lets a step starve that is possible only now and then.",
            "It has to be said that a worker which tries again and again gets through some time (strong fairness); then it holds.",
        ],
        part: (0, None),
        without: &[],
    },
    Entry {
        name: "uploader-old-edit",
        title: "The uploader: an old edit overwrites a new one",
        source: Source::Uploader(3, "NewerStays"),
        story: [
            "Two workers process two edits of the same content; the one with the older edit is slower.",
            "When it links its file last, readers are shown the old edit for ever, and the new file belongs to nobody.",
            "A link that is set only if it is newer than what is there, and a cleaner for files that nobody will link, mend both.",
        ],
        part: (0, None),
        without: &[],
    },
    Entry {
        name: "planted-fault",
        title: "A planted fault is found",
        source: Source::World(13, 5, Some("commit-older-term")),
        story: [
            "Five nodes run in a simulated world, and one rule is broken on purpose: entries of earlier terms are committed by counting.",
            "A linearizable read must see every write that was acknowledged before the read was asked for.",
            "At the red line a read misses one; the step that broke it is chosen, and all that led to it is lit up in blue.",
        ],
        part: (545, None),
        without: &[],
    },
];
