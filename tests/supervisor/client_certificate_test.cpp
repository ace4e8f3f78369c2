// SPDX-License-Identifier: MIT
// What the supervisor does with a certificate, whatever the two greeters say of it.
#include "supervisor/client_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::string_view_literals::operator""sv;
using supervisor::ClientCertificate;
using testing::ElementsAre;
using testing::IsEmpty;

ipc::ProofPart part(std::string_view bytes) {
    ipc::ProofPart made{};
    made.bytes.assign(bytes);
    return made;
}

ipc::Proven proven(std::string_view names, std::string_view refusal = {}) {
    ipc::Proven made{};
    made.names.assign(names);
    made.subject.assign("CN=ann\n");
    made.refusal.assign(refusal);
    return made;
}

class ClientCertificateTest : public testing::Test {
  protected:
    // What has happened by now.
    void go_on() {
        io.restart();
        io.poll();
    }
    template <typename M>
    M received() {
        const auto message = checker.receive();
        const auto* made = message ? message.value().as<M>() : nullptr;
        EXPECT_NE(made, nullptr);
        return made != nullptr ? *made : M{};
    }
    void show_and_ask() {
        ipc::ToSign what{};
        what.kind = ipc::Handshake::certificate_verify;
        what.key[0] = 7;
        what.hash.assign("a hash");
        certificate->was_signed(what);
        certificate->show(part("proof"));
        look();
    }
    void look() {
        certificate->look([this] { known.push_back(certificate->names()); });
    }

    boost::asio::io_context io;
    ipc::Channel checker;
    bool has_greeters = true;
    std::vector<std::string> warnings, misdeeds, known;
    std::shared_ptr<ClientCertificate> certificate = std::make_shared<ClientCertificate>(
        io, ClientCertificate::Callbacks{
                [this]() -> base::Result<supervisor::ChildProcess> {
                    if (!has_greeters) return base::Error{"none"};
                    auto ends = ipc::Channel::pair();
                    checker = std::move(ends.value().second);
                    return supervisor::ChildProcess{5, std::move(ends.value().first)};
                },
                [this](const std::string& what) { warnings.push_back(what); },
                // As the client does, which nothing but its greeter has kept until now.
                [this](std::string_view what) {
                    misdeeds.emplace_back(what);
                    certificate->close();
                    certificate.reset();
                }});
};

TEST_F(ClientCertificateTest, IsLookedAtElsewhere) {
    EXPECT_FALSE(certificate->is_shown());
    const std::string nonce(std::begin(certificate->nonce()), std::end(certificate->nonce()));
    show_and_ask();
    EXPECT_TRUE(certificate->is_shown());
    EXPECT_EQ(certificate->process(), 5U);
    EXPECT_EQ(received<ipc::ProofPart>().bytes.view(), "proof");
    const auto question = received<ipc::Prove>();
    EXPECT_EQ(std::string(std::begin(question.nonce), std::end(question.nonce)), nonce);
    EXPECT_EQ(question.key[0], 7);
    EXPECT_EQ(question.hash.view(), "a hash");
    EXPECT_THAT(known, IsEmpty());
    ASSERT_TRUE(checker.send(proven("ann\0"sv)));
    go_on();
    EXPECT_THAT(known, ElementsAre("ann\0"sv));
    EXPECT_EQ(certificate->subject(), "CN=ann\\x0a");
    look();
    EXPECT_THAT(known, ElementsAre("ann\0"sv, "ann\0"sv)) << "at once";
    EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(ClientCertificateTest, HasANonceOfItsOwn) {
    const ClientCertificate other(io, {});
    EXPECT_FALSE(std::equal(std::begin(other.nonce()), std::end(other.nonce()),
                            std::begin(certificate->nonce())));
}

// As after a handshake of TLS 1.2.
TEST_F(ClientCertificateTest, IsNotShownWithAnotherSignature) {
    ipc::ToSign what{};
    what.kind = ipc::Handshake::server_key_exchange;
    certificate->was_signed(what);
    certificate->show(part("proof"));
    EXPECT_FALSE(certificate->is_shown());
}

TEST_F(ClientCertificateTest, IsNotLookedAtByWhoWarnsWithoutEnd) {
    show_and_ask();
    ipc::Record warning{};
    warning.event = ipc::Event::warning;
    warning.path.assign("noise");
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(checker.send(warning));
    go_on();
    EXPECT_EQ(warnings, std::vector<std::string>(4, "noise"));
    EXPECT_THAT(misdeeds, ElementsAre("warns without end"));
    EXPECT_THAT(known, IsEmpty());
}

TEST_F(ClientCertificateTest, NamesNobodyWhenItIsRefused) {
    show_and_ask();
    ASSERT_TRUE(checker.send(proven("ann\0"sv, "no\n")));
    go_on();
    EXPECT_THAT(known, ElementsAre(""));
    EXPECT_THAT(warnings, ElementsAre("the client's certificate is not taken: no\\x0a"));
}

TEST_F(ClientCertificateTest, NamesNobodyWhenNobodyLooksAtIt) {
    show_and_ask();
    checker.close();
    go_on();
    EXPECT_THAT(known, ElementsAre(""));
    EXPECT_THAT(warnings, ElementsAre("the process that looked at the client's certificate has "
                                      "ended without a word"));
    certificate->end();  // the spawner says so as well
    EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(ClientCertificateTest, NamesNobodyWhenThereIsNoProcess) {
    has_greeters = false;
    certificate->show(part("the first"));
    certificate->show(part("and more"));
    EXPECT_EQ(certificate->process(), std::nullopt);
    look();
    EXPECT_THAT(known, ElementsAre(""));
    EXPECT_THAT(warnings, ElementsAre("nothing can look at the client's certificate: none"));
    EXPECT_THAT(misdeeds, IsEmpty());
}

TEST_F(ClientCertificateTest, NamesNobodyWhenItIsShownInTooManyPieces) {
    for (int i = 0; i < 2000; ++i) certificate->show(part("x"));
    look();
    EXPECT_THAT(known, ElementsAre(""));
    EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(ClientCertificateTest, EndsWithWhoShowsItWithoutEnd) {
    const std::string bytes(ipc::longest_proof_part, 'x');
    std::size_t shown = 0;
    for (; certificate && shown <= ipc::longest_proof; shown += bytes.size())
        certificate->show(part(bytes));
    EXPECT_GT(shown, ipc::longest_proof);
    EXPECT_THAT(misdeeds, ElementsAre("shows a certificate without end"));
}

TEST_F(ClientCertificateTest, EndsWithWhoShowsMoreOfItLater) {
    show_and_ask();
    certificate->show(part("more"));
    EXPECT_THAT(misdeeds, ElementsAre("sent a malformed request"));
}

TEST_F(ClientCertificateTest, EndsWithWhoShowsNothing) {
    certificate->show(part(""));
    EXPECT_THAT(misdeeds, ElementsAre("sent a malformed request"));
}

TEST_F(ClientCertificateTest, EndsWithWhoKnowsTheAnswerBeforeTheQuestion) {
    certificate->show(part("proof"));
    ASSERT_TRUE(checker.send(proven("ann\0"sv)));
    go_on();
    EXPECT_THAT(misdeeds, ElementsAre("says of the client's certificate what makes no sense"));
    go_on();
    EXPECT_THAT(known, IsEmpty());
}

TEST_F(ClientCertificateTest, EndsWithWhoSaysSomethingElse) {
    show_and_ask();
    auto answer = proven("ann\0"sv);
    answer.names.length = ipc::longest_names + 1;
    ASSERT_TRUE(checker.send(answer));
    go_on();
    EXPECT_THAT(misdeeds, ElementsAre("says of the client's certificate what makes no sense"));
    EXPECT_THAT(known, IsEmpty());
}

}  // namespace
