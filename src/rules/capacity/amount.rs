//! How much of everything: what a pod takes, what a machine has.

use std::fmt;

use crate::rules::words::count;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Pods that kubelet takes.
    Pods,
    /// Volumes that can be attached.
    Volumes,
    /// Thousandths of a CPU.
    Cpu,
    /// MiB.
    Memory,
}

impl Measure {
    /// All of them, the most specific ones first.
    pub const ALL: [Self; 4] = [Self::Volumes, Self::Pods, Self::Memory, Self::Cpu];

    /// What is missing of it, in words: `volume slots, 3 short`, `memory, 12 GiB short`.
    pub fn short(self, amount: u64) -> String {
        match self {
            Self::Pods => format!("pods, {amount} short"),
            Self::Volumes => format!("volume slots, {amount} short"),
            Self::Cpu if amount.is_multiple_of(1000) => format!("CPU, {} short", amount / 1000),
            Self::Cpu => format!("CPU, {amount}m short"),
            Self::Memory if amount.is_multiple_of(1024) => {
                format!("memory, {} GiB short", amount / 1024)
            }
            Self::Memory => format!("memory, {amount} MiB short"),
        }
    }

    /// An amount in words: `59 volumes`, `12 GiB of memory`.
    pub fn words(self, amount: u64) -> String {
        match self {
            Self::Pods => count(amount, "pod"),
            Self::Volumes => count(amount, "volume"),
            Self::Cpu if amount.is_multiple_of(1000) => count(amount / 1000, "CPU"),
            Self::Cpu => format!("{amount}m of CPU"),
            Self::Memory if amount.is_multiple_of(1024) => {
                format!("{} GiB of memory", amount / 1024)
            }
            Self::Memory => format!("{amount} MiB of memory"),
        }
    }
}

/// An amount of each measure.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// See [`Measure::Pods`].
    pub pods: u64,
    /// See [`Measure::Volumes`].
    pub volumes: u64,
    /// See [`Measure::Cpu`].
    pub cpu_milli: u64,
    /// See [`Measure::Memory`].
    pub memory_mib: u64,
}

impl Amount {
    /// One measure of it.
    pub fn of(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Pods => self.pods,
            Measure::Volumes => self.volumes,
            Measure::Cpu => self.cpu_milli,
            Measure::Memory => self.memory_mib,
        }
    }

    /// Whether there is enough of every measure.
    pub fn fits(&self, room: &Self) -> bool {
        self.pods <= room.pods
            && self.volumes <= room.volumes
            && self.cpu_milli <= room.cpu_milli
            && self.memory_mib <= room.memory_mib
    }

    /// The first measure of which there is less than this, and how much less. `None` where it
    /// fits.
    pub fn lack(&self, room: &Self) -> Option<(Measure, u64)> {
        Measure::ALL.into_iter().find_map(|measure| {
            let missing = self.of(measure).saturating_sub(room.of(measure));
            (missing > 0).then_some((measure, missing))
        })
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            pods: self.pods.saturating_add(other.pods),
            volumes: self.volumes.saturating_add(other.volumes),
            cpu_milli: self.cpu_milli.saturating_add(other.cpu_milli),
            memory_mib: self.memory_mib.saturating_add(other.memory_mib),
        }
    }

    /// What is left.
    pub fn minus(self, other: Self) -> Self {
        Self {
            pods: self.pods.saturating_sub(other.pods),
            volumes: self.volumes.saturating_sub(other.volumes),
            cpu_milli: self.cpu_milli.saturating_sub(other.cpu_milli),
            memory_mib: self.memory_mib.saturating_sub(other.memory_mib),
        }
    }

    /// The largest share that it takes of any measure, in millionths.
    pub fn share(&self, of: &Self) -> u64 {
        let share = |measure| {
            let part = u128::from(self.of(measure)).saturating_mul(1_000_000);
            let share = part.checked_div(u128::from(of.of(measure))).unwrap_or(0);
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        Measure::ALL.into_iter().map(share).max().unwrap_or(0)
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Self::plus)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pods, volumes, cpu_milli, memory_mib } = self;
        write!(f, "{pods} pods, {volumes} volumes, {cpu_milli}m, {memory_mib} MiB")
    }
}
