// SPDX-License-Identifier: MIT
// Certificates that are read once their issuer is known, and those that are not read at all.
#include "tls/issued.hpp"

#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using authority::Made;
using authority::Wanted;
using testing::SizeIs;
using tls::Bytes;

constexpr auto not_issued = "nobody in ca_certs_file has issued it";

Made make(const std::string& name, const Made* above, const std::string& key = "EC:prime256v1") {
    Wanted wanted;
    wanted.common_name = name;
    wanted.key = key;
    wanted.issuer = name != "ann";
    return authority::make(wanted, above);
}

Bytes der(const Made& made) {
    const auto chain = tls::read_chain(made.certificate);
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(chain.value().own.get(), &bytes);
    const tls::OpenSslBytes owner{bytes};
    return {bytes, bytes + size};
}

struct Store {
    explicit Store(const std::vector<Made>& issuers) {
        for (const auto& each : issuers)
            EXPECT_EQ(
                X509_STORE_add_cert(all.get(), tls::read_chain(each.certificate).value().own.get()),
                1);
    }
    tls::Owned<X509_STORE, X509_STORE_free> all{X509_STORE_new()};
};

base::Result<tls::Chain> read(const std::vector<Bytes>& shown, const Store& store) {
    return tls::read_issued({shown.begin(), shown.end()}, store.all.get());
}

// Whose it is; or why nobody's.
std::string outcome(const std::vector<Bytes>& shown, const Store& store) {
    const auto chain = read(shown, store);
    return chain ? tls::subject(chain.value().own.get()) : chain.error().text();
}

TEST(ReadIssued, KnowsEveryKindOfIssuer) {
    for (const auto* key : {"EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "RSA:2048",
                            "RSA-PSS:2048", "ED25519", "ED448"}) {
        const auto issuer = make("issuer", nullptr, key);
        const auto other = make("issuer", nullptr, key);
        const std::vector<Bytes> shown{der(make("ann", &issuer))};
        EXPECT_EQ(outcome(shown, Store({other, issuer})), "CN=ann") << key;
        EXPECT_EQ(outcome(shown, Store({other})), not_issued) << key;
    }
}

TEST(ReadIssued, FollowsIssuersToTheClientsOwn) {
    const auto top = make("top", nullptr);
    const auto upper = make("upper", &top);
    const auto lower = make("lower", &upper);
    const auto own = make("ann", &lower);
    const Store store({top});
    const auto chain = read({der(own), der(lower), der(upper), der(top)}, store);
    ASSERT_TRUE(chain);
    EXPECT_EQ(tls::subject(chain.value().own.get()), "CN=ann");
    EXPECT_THAT(chain.value().others, SizeIs(3));
    EXPECT_EQ(outcome({der(own), der(lower)}, store), not_issued);
    EXPECT_EQ(outcome({der(own), der(upper), der(lower)}, store), not_issued) << "out of order";
    EXPECT_EQ(outcome({der(own), der(lower)}, Store({upper})), "CN=ann");
}

TEST(ReadIssued, BelievesNobodyWhoMayNotIssueAny) {
    const auto top = make("top", nullptr);
    const auto ann = make("ann", &top);
    const auto friends = make("ann", &ann);
    EXPECT_EQ(outcome({der(friends), der(ann)}, Store({top})), not_issued);
    EXPECT_EQ(outcome({der(make("ann", nullptr))}, Store({top})), not_issued);
    EXPECT_EQ(outcome({der(ann)}, Store(std::vector<Made>{})), not_issued);
}

TEST(ReadIssued, PassesOverWhatNobodyHasIssued) {
    const auto top = make("top", nullptr);
    const auto chain =
        read({der(make("ann", &top)), der(make("stranger", nullptr)), {1, 2}, {}}, Store({top}));
    ASSERT_TRUE(chain);
    EXPECT_THAT(chain.value().others, SizeIs(0));
}

// "no certificate" would come from OpenSSL, which is not asked.
TEST(ReadIssued, ReadsNothingThatWasChangedByABitOrCut) {
    for (const auto* key : {"EC:prime256v1", "RSA:2048", "ED25519"}) {
        const auto issuer = make("issuer", nullptr, key);
        const auto whole = der(make("ann", &issuer));
        const Store store({issuer});
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (unsigned bit = 0; bit < 8; ++bit) {
                auto changed = whole;
                changed[at] ^= static_cast<unsigned char>(1U << bit);
                EXPECT_EQ(outcome({changed}, store), not_issued) << key << at << ' ' << bit;
            }
            EXPECT_EQ(
                outcome({{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)}}, store),
                not_issued)
                << key << at;
        }
        auto longer = whole;
        longer.push_back(0);
        EXPECT_EQ(outcome({longer}, store), not_issued);
    }
}

}  // namespace
