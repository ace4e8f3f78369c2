// SPDX-License-Identifier: MIT
// Certificates: reading, what they say, and finding one by name.
#include "tls/certificates.hpp"

#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace {

using authority::Made;
using authority::Wanted;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++found;
    return found;
}

tls::Chain chain_of(const Wanted& wanted) {
    return std::move(tls::read_chain(authority::make(wanted).certificate).value());
}

TEST(Chains, AreReadFromBetweenOtherThings) {
    Wanted root;
    root.issuer = true;
    const auto issuer = authority::make(root);
    const auto own = authority::make({}, &issuer);
    for (const auto& text :
         {own.key + own.certificate + issuer.certificate,
          own.certificate + own.key + issuer.certificate,
          "# a comment\n" + own.certificate + "\n\n" + issuer.certificate + own.key}) {
        const auto chain = tls::read_chain(text);
        ASSERT_TRUE(chain);
        EXPECT_EQ(chain.value().others.size(), 1U);
        const auto pem = tls::to_pem(chain.value());
        ASSERT_TRUE(pem);
        EXPECT_EQ(pem.value(), own.certificate + issuer.certificate);
        EXPECT_THAT(pem.value(), Not(HasSubstr("PRIVATE")));
    }
}

TEST(Chains, AreRefusedWhenThereIsNoneOrABrokenOne) {
    const auto made = authority::make({});
    auto broken = made.certificate;
    broken[broken.size() / 2] = '*';
    auto cut = made.certificate.substr(0, made.certificate.size() / 2);
    for (const auto& text :
         {std::string{}, std::string("text"), made.key, broken, cut, made.certificate + broken})
        EXPECT_FALSE(tls::read_chain(text));
}

TEST(Names, AreThoseOfTheExtensionElseTheCommonOne) {
    Wanted wanted;
    wanted.common_name = "Common.example.com";
    EXPECT_THAT(tls::host_names(chain_of(wanted).own.get()), ElementsAre("common.example.com"));
    wanted.names = {"One.example.com", "*.two.example.com"};
    EXPECT_THAT(tls::host_names(chain_of(wanted).own.get()),
                ElementsAre("one.example.com", "*.two.example.com"));
}

TEST(Subjects, AreWrittenAsInTheRfc) {
    Wanted wanted;
    wanted.common_name = "J\xC3\xBCrgen, FTP";
    EXPECT_EQ(tls::subject(chain_of(wanted).own.get()), "CN=J\xC3\xBCrgen\\, FTP");
}

TEST(Validity, EndsWhenItEnds) {
    Wanted wanted;
    wanted.seconds = 10L * 86400;
    const auto end = tls::not_after(chain_of(wanted).own.get());
    ASSERT_TRUE(end);
    const std::int64_t now = std::time(nullptr);
    EXPECT_NEAR(static_cast<double>(end.value()), static_cast<double>(now + wanted.seconds), 60);
    ipc::Certificate described = tls::describe(chain_of(wanted), "x").value();
    EXPECT_EQ(ipc::days_left(described, now - 60), 10);
    EXPECT_LE(ipc::days_left(described, now), ipc::days_to_warn);
    wanted.seconds = -86400;
    described = tls::describe(chain_of(wanted), "x").value();
    EXPECT_LT(ipc::days_left(described, now), 0);
}

TEST(KeyIds, AreOfTheKeyAndNotOfTheCertificate) {
    const auto made = authority::make({});
    const auto chain = tls::read_chain(made.certificate);
    const auto id = tls::key_id(X509_get0_pubkey(chain.value().own.get()));
    ASSERT_TRUE(id);
    EXPECT_EQ(id.value(), tls::describe(chain.value(), "").value().key);
    EXPECT_NE(id.value(), tls::describe(chain_of({}), "").value().key) << "another key";
}

TEST(Kinds, ThatNoHandshakeUsesAreRefused) {
    for (const auto* kind : {"DSA", "RSA-PSS:2048", "EC:secp256k1"}) {
        Wanted wanted;
        wanted.key = kind;
        const auto described = tls::describe(chain_of(wanted), "");
        ASSERT_FALSE(described) << kind;
        EXPECT_THAT(described.error().what, HasSubstr("not supported")) << kind;
    }
}

TEST(Described, IsWhatTheOthersNeed) {
    Wanted wanted;
    wanted.names = {"a.example.com"};
    const auto chain = chain_of(wanted);
    const auto described = tls::describe(chain, "/etc/server.pem");
    ASSERT_TRUE(described);
    const auto& c = described.value();
    EXPECT_EQ(c.file, "/etc/server.pem");
    EXPECT_EQ(c.chain, tls::to_pem(chain).value());
    EXPECT_THAT(c.names, ElementsAre("a.example.com"));
    EXPECT_FALSE(c.by_name_only);
    EXPECT_EQ(count(c.chain, "BEGIN CERTIFICATE"), 1U);
}

// ----- finding

ipc::Certificate certificate(std::string file, std::vector<std::string> names,
                             bool by_name_only = true) {
    ipc::Certificate c;
    c.file = std::move(file);
    c.names = std::move(names);
    c.by_name_only = by_name_only;
    return c;
}

std::vector<std::string> files(const std::vector<const ipc::Certificate*>& found) {
    std::vector<std::string> result;
    for (const auto* each : found) result.push_back(each->file);
    return result;
}

TEST(Found, IsTheExactNameBeforeTheWildcard) {
    const tls::Certificates all({
        certificate("fallback", {"main.example.com"}, false),
        certificate("wild", {"*.example.com"}),
        certificate("exact", {"a.example.com", "a.example.com"}),
        certificate("second", {"a.example.com"}),
        certificate("top", {"*.com"}),
    });
    const auto found = [&](const char* name) { return files(all.for_name(name)); };
    EXPECT_THAT(files(all.without_name()), ElementsAre("fallback"));
    EXPECT_THAT(found("main.example.com"), ElementsAre("fallback"));
    EXPECT_THAT(found("a.example.com"), ElementsAre("exact", "second"));
    EXPECT_THAT(found("A.EXAMPLE.com"), ElementsAre("exact", "second"));
    EXPECT_THAT(found("a.example.com."), ElementsAre("exact", "second"));
    EXPECT_THAT(found("b.example.com"), ElementsAre("wild"));
    EXPECT_THAT(found("example.com"), ElementsAre("top"));
    for (const auto* name : {"", ".", "b.a.example.com", ".example.com", "com", "example.org"})
        EXPECT_THAT(found(name), IsEmpty()) << name;
}

// ----- names that stand for accounts

std::vector<std::string> names(const Wanted& wanted, std::string_view field) {
    return tls::names_in(chain_of(wanted).own.get(), field);
}

TEST(AccountNames, AreThoseOfTheFieldAlone) {
    Wanted wanted;
    wanted.common_name = "ann";
    wanted.organization = "Example, Inc.";
    wanted.more_names =
        "email:ann@example.com,email:a@example.org,DNS:Host.Example.com,URI:http://ann,"
        "otherName:msUPN;UTF8:ann@corp,otherName:1.2.3.4;UTF8:other,IP:192.0.2.1";
    EXPECT_THAT(names(wanted, "commonName"), ElementsAre("ann"));
    EXPECT_THAT(names(wanted, "subject"), ElementsAre("CN=ann,O=Example\\, Inc."));
    EXPECT_THAT(names(wanted, "rfc822Name"), ElementsAre("ann@example.com", "a@example.org"));
    EXPECT_THAT(names(wanted, "dNSName"), ElementsAre("host.example.com"));
    EXPECT_THAT(names(wanted, "userPrincipalName"), ElementsAre("ann@corp"));
    EXPECT_THAT(names(wanted, ""), IsEmpty());
    wanted.more_names.clear();
    for (const auto* field : {"rfc822Name", "dNSName", "userPrincipalName"})
        EXPECT_THAT(names(wanted, field), IsEmpty()) << field;
}

TEST(AccountNames, HaveNoControlCharacters) {
    Wanted wanted;
    for (const auto& name : {std::string("ann\0.evil", 9), std::string("ann\nbob"),
                             std::string("ann\x7F"), std::string(1, '\0')}) {
        wanted.common_name = name;
        EXPECT_THAT(names(wanted, "commonName"), IsEmpty());
        for (const auto& subject : names(wanted, "subject"))
            EXPECT_EQ(subject.find_first_of(std::string("\0\n\x7F", 3)), subject.npos);
    }
}

TEST(AccountNames, AreNotTakenFromASubjectWithTwo) {
    Wanted wanted;
    wanted.common_name = "ann";
    wanted.second_common_name = "bob";
    EXPECT_THAT(names(wanted, "commonName"), IsEmpty());
}

}  // namespace
