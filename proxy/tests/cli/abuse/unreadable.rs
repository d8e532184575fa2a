//! Frames that are no frames of the protocol, from many clients at once.

use futures_util::future::join_all;

use super::{
    healthy::{HEALTHY, Healthy},
    house::House,
    raw::{Opcode, RawSocket},
};

/// The longest frame that there may be.
const MIB: usize = 1_024 * 1_024;

/// How many clients send each kind at once, twice.
const EACH: usize = 25;

/// What all of it may cost: what each has sent of a message at most, which is a mebibyte, and what allocators keep.
const MOST_KIB: u64 = 2 * EACH as u64 * 1_024;

#[tokio::test]
async fn frames_that_cannot_be_read_end_their_socket_with_the_right_code() {
    let house = House::open(&[]).await;
    let healthy = Healthy::start(house.addr);
    let half = vec![b'x'; MIB / 2 + 1];
    let hello = Opcode::TEXT.frame(br#"{"id":"h","type":"client.hello","data":{"version":1}}"#);
    let ping = br#"{"id":"a","type":"ping"}"#;
    let kinds = [
        ("a byte too large", Opcode::TEXT.frame(&vec![b'x'; MIB + 1]), 1009),
        ("a length of 2^60", Opcode::TEXT.claim(1 << 60), 1009),
        (
            "too large in two parts",
            [Opcode::TEXT.unfinished().frame(&half), Opcode::CONTINUATION.frame(&half)].concat(),
            1009,
        ),
        (
            "too large in many parts",
            [
                Opcode::TEXT.unfinished().frame(b"x"),
                Opcode::CONTINUATION.unfinished().frame(&[b'x'; 4_096]).repeat(257),
            ]
            .concat(),
            1009,
        ),
        ("binary", Opcode::BINARY.frame(ping), 1003),
        ("not UTF-8", Opcode::TEXT.frame(b"{\"id\":\"\xc3\x28\"}"), 1007),
        ("not masked", Opcode::TEXT.unmasked(ping), 1002),
    ];
    let (rounds, latency) = healthy
        .beside(async || {
            house
                .memory_of(async {
                    for greeting in [&b""[..], &hello] {
                        for (what, bytes, code) in &kinds {
                            let send = |_| async {
                                let mut socket = RawSocket::connect(house.addr).await;
                                socket.write(greeting).await;
                                socket.write(bytes).await;
                                (socket.close_code().await, socket.read().await)
                            };
                            for (closed, rest) in join_all((0..EACH).map(send)).await {
                                assert_eq!((closed, rest), (Some(*code), None), "{what}");
                            }
                        }
                    }
                })
                .await
                .1
        })
        .await;
    let (clients, memory) = (2 * EACH * kinds.len(), rounds[0]);
    println!(
        "abuse: unreadable frames: {clients} clients with {} kinds beside {HEALTHY} healthy ones, each closed with its code; {memory}; {latency}",
        kinds.len()
    );
    memory.assert_grew_at_most(MOST_KIB);
    healthy.end().await;
    house.close().await;
}
