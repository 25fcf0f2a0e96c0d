//! What may begin when: a synchronous state machine. Inputs are what happened, commands are what
//! to do; it never looks at a clock.

use std::collections::{BTreeMap, BinaryHeap};

use super::waves::{Turn, Waves};
use crate::plan::{Plan, Spare, Window, spares};
use crate::resource::{Address, Endpoint};

/// Something that happened to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The apply begins.
    Begin,
    /// It has made its call and only waits: its endpoint is free for others.
    Waiting(usize),
    /// It wants to make its next call.
    Ready(usize),
    /// It is done.
    Done(usize),
    /// It failed.
    Failed(usize),
    /// Begin nothing new.
    Stop,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The node may begin, or make its next call.
    Call(usize),
    /// The node will never begin.
    Skip(usize, SkipReason),
    /// A wave of the rollout begins.
    Wave(usize),
    /// No further wave begins; the nodes left are skipped.
    Halt {
        /// The projects that failed.
        failed: Vec<String>,
        /// The projects whose turn does not come.
        unreached: Vec<String>,
    },
}

/// Why a node never begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Something it needs failed or was skipped.
    Needs(Address),
    /// The window of another machine of its group failed.
    Window(Address),
    /// Too many projects failed before its project had its turn.
    Halted,
    /// Somebody asked to stop.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Has to wait for others.
    Blocked,
    /// May call as soon as its endpoint and windows allow.
    Queued,
    /// Occupies its endpoint.
    Calling,
    /// Has begun and occupies nothing.
    Waiting,
    /// Over, one way or the other.
    Settled,
}

struct Slot {
    phase: Phase,
    begun: bool,
    needs: usize,
    /// Which of these it can do without.
    spare: Spare,
    dependents: Vec<usize>,
    endpoint: Endpoint,
    address: Address,
    /// Seconds of the longest path from here to an end.
    priority: u64,
    window: Option<usize>,
    lane: Option<usize>,
}

/// The state of all nodes of a plan.
pub struct Schedule {
    slots: Vec<Slot>,
    queue: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    free: BTreeMap<Endpoint, usize>,
    /// How many more may begin, by lane.
    room: Vec<usize>,
    windows: Vec<Window>,
    open_window: Option<usize>,
    waves: Waves,
}

impl Schedule {
    /// Takes the order of work. Everything is blocked until [`Input::Begin`].
    pub fn new(plan: &Plan) -> Self {
        let mut slots: Vec<Slot> = plan
            .nodes
            .iter()
            .zip(spares(plan))
            .map(|(node, spare)| {
                let change = &plan.changes[node.change];
                Slot {
                    phase: Phase::Blocked,
                    begun: false,
                    needs: node.after.len(),
                    spare,
                    dependents: Vec::new(),
                    endpoint: change.endpoint.clone(),
                    address: change.address.clone(),
                    priority: node.weight_s,
                    window: None,
                    lane: None,
                }
            })
            .collect();
        for (at, node) in plan.nodes.iter().enumerate() {
            for &need in &node.after {
                slots[need].dependents.push(at);
            }
        }
        for (at, window) in plan.windows.iter().enumerate() {
            for &node in &window.nodes {
                slots[node].window = Some(at);
            }
        }
        for (at, lane) in plan.lanes.iter().enumerate() {
            for &node in &lane.nodes {
                slots[node].lane = Some(at);
            }
        }
        set_priorities(&mut slots);
        let free =
            plan.endpoints.iter().map(|(endpoint, facts)| (endpoint.clone(), facts.limit.max(1)));
        Self {
            slots,
            queue: BinaryHeap::new(),
            free: free.collect(),
            room: plan.lanes.iter().map(|lane| lane.limit.max(1)).collect(),
            windows: plan.windows.clone(),
            open_window: None,
            waves: Waves::new(plan),
        }
    }

    /// Whether every node is over.
    pub fn is_over(&self) -> bool {
        self.slots.iter().all(|slot| slot.phase == Phase::Settled)
    }

    /// How many nodes have begun and are not over.
    pub fn running(&self) -> usize {
        self.slots.iter().filter(|slot| slot.begun && slot.phase != Phase::Settled).count()
    }

    /// Takes in what happened and says what to do now.
    pub fn next(&mut self, input: Input) -> Vec<Command> {
        let mut commands = Vec::new();
        match input {
            Input::Begin => {
                for at in 0..self.slots.len() {
                    if self.slots[at].needs == 0 {
                        self.enqueue(at);
                    }
                }
            }
            Input::Waiting(at) => self.leave(at, Phase::Waiting),
            Input::Ready(at) => {
                self.leave(at, Phase::Waiting);
                self.enqueue(at);
            }
            Input::Done(at) => self.done(at),
            Input::Failed(at) => self.failed(at, &mut commands),
            Input::Stop => self.stop(&mut commands),
        }
        self.turn(&mut commands);
        self.start(&mut commands);
        commands
    }

    fn enqueue(&mut self, at: usize) {
        self.slots[at].phase = Phase::Queued;
        self.queue.push((self.slots[at].priority, std::cmp::Reverse(at)));
    }

    /// Gives the endpoint back where the node occupies it.
    fn leave(&mut self, at: usize, phase: Phase) {
        if self.slots[at].phase == Phase::Calling
            && let Some(free) = self.free.get_mut(&self.slots[at].endpoint)
        {
            *free += 1;
        }
        self.slots[at].phase = phase;
    }

    fn settle(&mut self, at: usize) {
        self.leave(at, Phase::Settled);
        self.waves.settled(at);
        if let Some(lane) = self.slots[at].lane.filter(|_| self.slots[at].begun) {
            self.room[lane] += 1;
        }
        let Some(window) = self.slots[at].window.filter(|&window| self.open_window == Some(window))
        else {
            return;
        };
        let over =
            self.windows[window].nodes.iter().all(|&node| self.slots[node].phase == Phase::Settled);
        if over {
            self.open_window = None;
        }
    }

    fn done(&mut self, at: usize) {
        self.settle(at);
        for dependent in self.slots[at].dependents.clone() {
            self.fulfil(dependent);
        }
    }

    /// Takes in that one need of a node is no obstacle any more.
    fn fulfil(&mut self, at: usize) {
        let slot = &mut self.slots[at];
        slot.needs = slot.needs.saturating_sub(1);
        if slot.needs == 0 && slot.phase == Phase::Blocked {
            self.enqueue(at);
        }
    }

    /// Whether a node goes on although one of its needs failed: others stand in for that one.
    fn does_without(&mut self, at: usize, need: usize) -> bool {
        let spare = &mut self.slots[at].spare;
        if spare.left == 0 || !spare.needs.remove(&need) {
            return false;
        }
        spare.left -= 1;
        self.fulfil(at);
        true
    }

    fn failed(&mut self, at: usize, commands: &mut Vec<Command>) {
        self.settle(at);
        self.waves.failed(at);
        self.skip_dependents(at, commands);
        if let Some(window) = self.slots[at].window {
            self.fail_window(window, commands);
        }
    }

    /// Stops every window of the group, this one included, as far as it has not begun.
    fn fail_window(&mut self, window: usize, commands: &mut Vec<Command>) {
        let (group, machine) =
            (self.windows[window].group.clone(), self.windows[window].machine.clone());
        let others: Vec<usize> = self
            .windows
            .iter()
            .filter(|other| other.group == group)
            .flat_map(|other| other.nodes.iter().copied())
            .collect();
        for other in others {
            self.skip(other, SkipReason::Window(machine.clone()), commands);
        }
    }

    fn skip_dependents(&mut self, at: usize, commands: &mut Vec<Command>) {
        let address = self.slots[at].address.clone();
        for dependent in self.slots[at].dependents.clone() {
            if !self.does_without(dependent, at) {
                self.skip(dependent, SkipReason::Needs(address.clone()), commands);
            }
        }
    }

    /// Skips a node that has not begun, and all that need it.
    fn skip(&mut self, at: usize, reason: SkipReason, commands: &mut Vec<Command>) {
        if self.slots[at].begun || self.slots[at].phase == Phase::Settled {
            return;
        }
        self.settle(at);
        if reason != SkipReason::Halted {
            self.waves.failed(at);
        }
        commands.push(Command::Skip(at, reason));
        self.skip_dependents(at, commands);
        // A machine whose window is half done is down: its group must not lose another one.
        if let Some(window) = self.slots[at].window.filter(|&window| self.has_begun(window)) {
            self.fail_window(window, commands);
        }
    }

    fn has_begun(&self, window: usize) -> bool {
        self.windows[window].nodes.iter().any(|&node| self.slots[node].begun)
    }

    /// Begins nothing new, but brings a window that has begun to its end: its machine is down or
    /// emptied until then.
    fn stop(&mut self, commands: &mut Vec<Command>) {
        let mut skipped = Vec::new();
        for at in 0..self.slots.len() {
            let slot = &self.slots[at];
            let ends = slot.window.is_some_and(|window| self.has_begun(window));
            if !slot.begun && slot.phase != Phase::Settled && !ends {
                self.settle(at);
                commands.push(Command::Skip(at, SkipReason::Stopped));
                skipped.push(at);
            }
        }
        for at in skipped {
            self.skip_dependents(at, commands);
        }
    }

    /// Opens the next wave where one is over, or none any more.
    fn turn(&mut self, commands: &mut Vec<Command>) {
        while let Some(turn) = self.waves.turn() {
            match turn {
                Turn::Begin(wave) => commands.push(Command::Wave(wave)),
                Turn::Halt => {
                    let (failed, unreached) = (self.waves.failures(), self.waves.unreached());
                    commands.push(Command::Halt { failed, unreached });
                    for at in self.waves.held() {
                        self.skip(at, SkipReason::Halted, commands);
                    }
                }
            }
        }
    }

    /// Starts queued nodes, longest remaining path first, as far as endpoints and windows allow.
    fn start(&mut self, commands: &mut Vec<Command>) {
        let mut kept = Vec::new();
        while let Some(entry) = self.queue.pop() {
            let at = entry.1.0;
            if self.slots[at].phase != Phase::Queued {
                continue;
            }
            if !self.may_call(at) {
                kept.push(entry);
                continue;
            }
            if let Some(free) = self.free.get_mut(&self.slots[at].endpoint) {
                *free -= 1;
            }
            self.open_window = self.slots[at].window.or(self.open_window);
            if let Some(lane) = self.slots[at].lane.filter(|_| !self.slots[at].begun) {
                self.room[lane] -= 1;
            }
            self.slots[at].phase = Phase::Calling;
            self.slots[at].begun = true;
            commands.push(Command::Call(at));
        }
        self.queue.extend(kept);
        // The open window waits for work of another one: only opening that too leads on.
        if self.running() == 0 && self.open_window.is_some() && !self.queue.is_empty() {
            self.open_window = None;
            self.start(commands);
        }
        // What is left of the open wave waits for the next one's work: only that leads on.
        if !self.queue.is_empty()
            && self.running() == 0
            && let Some(Turn::Begin(wave)) = self.waves.begin()
        {
            commands.push(Command::Wave(wave));
            self.start(commands);
        }
    }

    fn may_call(&self, at: usize) -> bool {
        let slot = &self.slots[at];
        let endpoint_free = self.free.get(&slot.endpoint).is_none_or(|&free| free > 0);
        let window_free = match (slot.window, self.open_window) {
            (Some(window), Some(open)) => window == open,
            _ => true,
        };
        let has_room = slot.begun || slot.lane.is_none_or(|lane| self.room[lane] > 0);
        endpoint_free && window_free && has_room && self.waves.is_open(at)
    }
}

/// Longest path to an end, by repeated relaxation from the ends.
fn set_priorities(slots: &mut [Slot]) {
    let mut waiting: Vec<usize> = slots.iter().map(|slot| slot.dependents.len()).collect();
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); slots.len()];
    for (at, slot) in slots.iter().enumerate() {
        for &dependent in &slot.dependents {
            needs[dependent].push(at);
        }
    }
    let mut ends: Vec<usize> = (0..slots.len()).filter(|&at| waiting[at] == 0).collect();
    let mut longest: Vec<u64> = vec![0; slots.len()];
    while let Some(at) = ends.pop() {
        slots[at].priority = slots[at].priority.saturating_add(longest[at]);
        for &need in &needs[at] {
            longest[need] = longest[need].max(slots[at].priority);
            waiting[need] -= 1;
            if waiting[need] == 0 {
                ends.push(need);
            }
        }
    }
}
