//! Hosts follow their machines: they come into being, boot, go down and vanish with them.

use crate::lab::vsphere::Guest;

use super::birth::{Birth, born, facts, identify};
use super::desk::{HostDesk, HostRecord};
use super::effect::HostEffect;
use super::model::Host;
use super::session::Output;
use super::systemd;

impl HostDesk {
    /// Does to the hosts what has happened to their machines. Applies and returns the records.
    pub(in crate::lab) fn follow(&mut self, guests: &[Guest], now: u64) -> Vec<HostRecord> {
        let mut records = Vec::new();
        let gone = self.hosts.iter().filter(|host| guests.iter().all(|g| g.id != host.facts.id));
        let gone: Vec<Host> = gone.cloned().collect();
        for host in gone {
            records.extend(self.act(&host, now, |session| {
                systemd::halt(session);
                Output::done()
            }));
            let removed = HostEffect::Remove(host.facts.id.clone());
            records.push(self.keep(vec![removed], Vec::new()));
        }
        let mut new = Vec::new();
        for guest in guests {
            let host = self.hosts.get(&guest.id).cloned();
            match host {
                None if guest.powered_on => {
                    records.extend(self.begin(guest, now));
                    new.push(guest);
                }
                Some(host) => records.extend(self.power(&host, guest, now)),
                None => {}
            }
        }
        new.retain(|guest| guest.standing);
        records.extend(self.stand(&new, now));
        records
    }

    fn begin(&mut self, guest: &Guest, now: u64) -> Vec<HostRecord> {
        let sudo_password = self.standing.sudo.get(&guest.name).cloned().filter(|_| guest.standing);
        let host = born(guest, Birth { sudo_password }, self.seed);
        let put = self.keep(vec![HostEffect::Put(Box::new(host.clone()))], Vec::new());
        let mut records = vec![put];
        records.extend(self.boot(&host, guest, now));
        records
    }

    fn power(&mut self, host: &Host, guest: &Guest, now: u64) -> Vec<HostRecord> {
        let cycled = host.state.on && guest.powered_on && host.state.booted_ms != guest.booted_ms;
        let mut records = Vec::new();
        if host.state.on && (cycled || !guest.powered_on) {
            records.extend(self.act(host, now, |session| {
                systemd::halt(session);
                session.host.state.on = false;
                Output::done()
            }));
        }
        if guest.powered_on && (cycled || !host.state.on) {
            let host = self.hosts.get(&guest.id).cloned().unwrap_or_else(|| host.clone());
            records.extend(self.boot(&host, guest, now));
        }
        records
    }

    fn boot(&mut self, host: &Host, guest: &Guest, now: u64) -> Option<HostRecord> {
        self.act(host, now, |session| {
            session.host.facts = facts(guest);
            identify(&mut session.host, now);
            systemd::boot(session, guest.booted_ms);
            Output::done()
        })
    }
}
