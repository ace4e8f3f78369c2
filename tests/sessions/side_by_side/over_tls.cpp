// SPDX-License-Identifier: MIT
// Conversations with a client that knows TLS, side by side.
#include "tests/sessions/side_by_side/over_tls.hpp"

#include "tests/tls/authority.hpp"

namespace sessions {

namespace {

authority::Made named(const char* name, const char* key = "EC:prime256v1",
                      const authority::Made* issuer = nullptr) {
    authority::Wanted wanted;
    wanted.key = key;
    wanted.common_name = name;
    wanted.issuer = true;
    return authority::make(wanted, issuer);
}

void write_pem(const char* name, const authority::Made& made) {
    write_file(place(name), made.certificate + made.key, 0, 0600);
}

Lines with_tls(const Lines& more) {
    Lines lines = {"ssl_enable=YES", "rsa_cert_file=PLACE/one.pem"};
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

}  // namespace

void certificates() {
    struct Made {
        authority::Made one = named("one", "RSA:2048");
        authority::Made two = named("two", "RSA:2048");
        authority::Made three = named("three");
        authority::Made four = named("four");
        authority::Made issuer = named("issuer");
        authority::Made client = named("alice", "EC:prime256v1", &issuer);
    };
    static const Made made;
    write_pem("one.pem", made.one);
    write_pem("two.pem", made.two);
    write_pem("three.pem", made.three);
    write_pem("four.pem", made.four);
    write_pem("issuer.pem", made.issuer);
    write_pem("client.pem", made.client);
    write_file(place("one.crt"), made.one.certificate);
    write_file(place("three.crt"), made.three.certificate);
}

Habits tls_1_2(const char* certificate) {
    Habits habits;
    habits.version = TLS1_2_VERSION;
    habits.certificate = certificate;
    return habits;
}

Habits implicit() {
    auto habits = tls_1_2();
    habits.auth.clear();
    return habits;
}

Steps securely(const Account& account, Steps more) {
    Steps steps = {secure("AUTH TLS"), say("USER " + account.name), say("PASS " + account.password),
                   say("PBSZ 0"), say("PROT P")};
    steps.insert(steps.end(), more.begin(), more.end());
    return steps;
}

Talk over_tls(const Lines& more, Steps steps, Habits habits) {
    return {.options = with_tls(more),
            .steps = std::move(steps),
            .as = nullptr,
            .furnish = certificates,
            .client = std::move(habits)};
}

}  // namespace sessions
