//! Causality of messages: a group chat in which an answer may overtake its question.
//!
//! Vector clocks say of any two messages which came first, or that neither did; so a reader can hold an answer back until
//! the question is there (causal broadcast). Lamport stamps put all messages into one order that everyone agrees on.
//!
//! `cargo run -p synod-clock --example message_causality`

use synod_clock::lamport::{LamportClock, LamportStamp};
use synod_clock::vector::VectorClock;

type Name = &'static str;

/// What goes over the network.
#[derive(Clone, Debug)]
struct Message {
    from: Name,
    text: &'static str,
    /// How many messages of everyone the writer had read, this one included.
    read: VectorClock<Name>,
    stamp: LamportStamp<Name>,
}

/// One member of the group.
struct Member {
    name: Name,
    read: VectorClock<Name>,
    lamport: LamportClock,
    /// Arrived before something that its writer had read.
    held_back: Vec<Message>,
    shown: Vec<Message>,
}

impl Member {
    fn new(name: Name) -> Self {
        Self {
            name,
            read: VectorClock::new(),
            lamport: LamportClock::new(),
            held_back: Vec::new(),
            shown: Vec::new(),
        }
    }

    fn write(&mut self, text: &'static str) -> Result<Message, Box<dyn std::error::Error>> {
        let stamp = LamportStamp { time: self.lamport.send()?, node: self.name };
        let message = Message { from: self.name, text, read: self.read.send(&self.name)?, stamp };
        self.shown.push(message.clone());
        Ok(message)
    }

    /// Shows the message, and whatever waited for it; or holds it back.
    fn arrive(&mut self, message: &Message) -> Result<(), Box<dyn std::error::Error>> {
        self.held_back.push(message.clone());
        while let Some(place) = self.held_back.iter().position(|message| self.is_next(message)) {
            let message = self.held_back.remove(place);
            self.lamport.receive(message.stamp.time)?;
            self.read.merge(&message.read);
            println!("  {} reads {:?} of {}", self.name, message.text, message.from);
            self.shown.push(message);
        }
        if let Some(message) = self.held_back.last() {
            println!("  {} holds {:?} back: {} of {} read", self.name, message.text, self.read, message.read);
        }
        Ok(())
    }

    /// Whether everything that its writer had read is read here, and it is the writer's next one.
    fn is_next(&self, message: &Message) -> bool {
        let known = |from: &Name| self.read.get(from) + u64::from(*from == message.from);
        message.read.iter().all(|(from, count)| count <= known(from))
            && message.read.get(&message.from) == known(&message.from)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut ann, mut bob, mut cy) = (Member::new("ann"), Member::new("bob"), Member::new("cy"));

    println!("ann asks, bob answers, and cy writes about something else");
    let question = ann.write("Shall we meet?")?;
    bob.arrive(&question)?;
    let answer = bob.write("At noon.")?;
    let aside = cy.write("Hello!")?;

    println!("the answer reaches cy before the question");
    cy.arrive(&answer)?;
    cy.arrive(&question)?;
    ann.arrive(&aside)?;
    ann.arrive(&answer)?;
    bob.arrive(&aside)?;

    println!("what the clocks say");
    for (left, right) in [(&question, &answer), (&question, &aside), (&answer, &aside)] {
        let causality = left.read.compare(&right.read);
        println!("  {:16} {} {causality:10} {:8} {}", left.text, left.read, right.text, right.read);
    }

    println!("in Lamport's total order, the same for everyone");
    for member in [&mut ann, &mut bob, &mut cy] {
        member.shown.sort_by_key(|message| message.stamp);
        let texts: Vec<String> =
            member.shown.iter().map(|message| format!("{} {:?}", message.stamp, message.text)).collect();
        println!("  {:3}: {}", member.name, texts.join(", "));
        assert!(member.held_back.is_empty(), "everything was read in the end");
        assert_eq!(texts, [r#"1@ann "Shall we meet?""#, r#"1@cy "Hello!""#, r#"3@bob "At noon.""#]);
    }
    Ok(())
}

#[test]
fn clock_example_messages() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
