//! Two desks of one pool, for the tests of it.

use super::*;

/// Two desks of one pool whose links are carried by hand.
pub(super) struct Two {
    pub(super) rooms: [Room; 2],
    ends: Option<(LinkId, LinkId)>,
}

impl Two {
    pub(super) fn new() -> Self {
        let pool = |direct| DeskConfig { pool: Some(direct), ..DeskConfig::default() };
        let room = |number: u8, direct| {
            Room::of(Desk::new(identity(number), pool(direct), [number; 32], NOW))
        };
        let seed = taiinet_mesh::SignallerAddress {
            url: "ws://other".to_owned(),
            pinned: Some(identity(200).peer_id()),
        };
        let dialler = Direct { seeds: vec![seed], ..Direct::default() };
        let mut two =
            Self { rooms: [room(200, Direct::default()), room(201, dialler)], ends: None };
        two.run(Duration::from_secs(2));
        assert_eq!(two.rooms.each_ref().map(|room| room.desk.status(room.now).members), [1, 1]);
        two
    }

    /// Lets so much time pass; gives what clients are told, with the number of the room.
    pub(super) fn run(&mut self, time: Duration) -> Vec<(usize, u64, FromSignaller)> {
        let mut told = Vec::new();
        let end = self.rooms[0].now.after(time);
        while self.rooms[0].now < end {
            for at in 0..2 {
                let now = self.rooms[at].now.after(Duration::from_millis(10));
                self.rooms[at].now = now;
                self.rooms[at].desk.handle_timeout(now);
                self.carry(at, &mut told);
                self.carry(1 - at, &mut told);
            }
        }
        told
    }

    pub(super) fn carry(&mut self, at: usize, told: &mut Vec<(usize, u64, FromSignaller)>) {
        let now = self.rooms[at].now;
        while let Some(output) = self.rooms[at].desk.poll_output() {
            match output {
                DeskOutput::Send { client, bytes } => {
                    let sessions = &mut self.rooms[at].sessions;
                    told.push((at, client.0, receive(sessions, client.0, &bytes)));
                }
                DeskOutput::Dial { link, .. } => {
                    let from = IpAddr::from([10, 1, 0, at as u8]);
                    let theirs = self.rooms[1 - at].desk.accept(from, now).unwrap();
                    self.ends = Some(if at == 0 { (link, theirs) } else { (theirs, link) });
                    let binding = taiinet_mesh::ChannelBinding::NONE;
                    let up = DeskInput::Pool(Input::LinkUp { link, binding });
                    self.rooms[at].desk.handle(up, now);
                }
                DeskOutput::SendTo { bytes, link } => {
                    let (zero, one) = self.ends.unwrap();
                    let to = if at == 0 { one } else { zero };
                    let sent = Input::Sent { link, bytes: bytes.len() };
                    self.rooms[at].desk.handle(DeskInput::Pool(sent), now);
                    let message = Input::Message { link: to, bytes };
                    self.rooms[1 - at].desk.handle(DeskInput::Pool(message), now);
                }
                DeskOutput::Close { .. } | DeskOutput::CloseLink { .. } => {}
            }
        }
    }

    /// What one room is told by its clients' word.
    pub(super) fn say(&mut self, at: usize, client: u64, frame: &ToSignaller) {
        let session = self.rooms[at].sessions.get_mut(&client).unwrap();
        let bytes = session.seal(&codec::encode(frame)).unwrap();
        let now = self.rooms[at].now;
        self.rooms[at].desk.handle(DeskInput::Message { client: client.into(), bytes }, now);
    }

    pub(super) fn refused(&self, at: usize, why: Refused) -> u64 {
        self.rooms[at]
            .desk
            .status(self.rooms[at].now)
            .refused_of_pool
            .get(&why)
            .copied()
            .unwrap_or(0)
    }
}

pub(super) fn signal_at(from: &Identity, to: PeerId, at: Time, seed: u8) -> Signed<Signal> {
    let mut rng = ChaCha12Rng::from_seed([seed; 32]);
    let sealed = seal(&to, b"", b"hello", &mut rng).unwrap();
    Signed::new(from, &Signal { network: network("a"), to, sent_at: at.timestamp(), sealed })
}
