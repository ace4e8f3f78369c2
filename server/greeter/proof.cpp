// SPDX-License-Identifier: MIT
// Another client's certificate: all of it may be an attacker's. Runs as nopriv_user in an empty
// root.
#include "greeter/proof.hpp"

#include "base/title.hpp"
#include "tls/certificates.hpp"
#include "tls/client_proof.hpp"

#include <string>
#include <utility>

namespace greeter {
namespace {

// Those that fit.
std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const auto& name : names) {
        if (all.size() + name.size() + 1 <= ipc::longest_names) (all += name) += '\0';
    }
    return all;
}

ipc::Proven answer(std::string_view proof, const ipc::Prove& question, const tls::Context& context,
                   std::string_view field) {
    tls::SignedHandshake known;
    std::copy(std::begin(question.nonce), std::end(question.nonce), known.nonce.begin());
    std::copy(std::begin(question.key), std::end(question.key), known.key.begin());
    const auto hash = question.hash.view();
    known.hash.assign(hash.begin(), hash.end());
    const auto* bytes = reinterpret_cast<const unsigned char*>(proof.data());
    const auto certificate = tls::prove({bytes, proof.size()}, known, context);
    ipc::Proven said{};
    if (!certificate) {
        said.refusal.assign(certificate.error().text());
        return said;
    }
    said.subject.assign(tls::subject(certificate.value().get()));
    said.names.assign(joined(tls::names_in(certificate.value().get(), field)));
    return said;
}

}  // namespace

int look_at_proof(ipc::Channel channel, ipc::Message message, const tls::Context& context,
                  std::string_view field) {
    base::title::set("jailftpd: [certificate]");
    std::string proof;
    for (;;) {
        if (const auto* question = message.as<ipc::Prove>())
            return channel.send_waiting(answer(proof, *question, context, field)) ? 0 : 2;
        const auto* part = message.as<ipc::ProofPart>();
        if (part == nullptr || !part->bytes.valid() || !message.descriptors.empty() ||
            proof.size() + part->bytes.length > ipc::longest_proof)
            return 2;
        proof += part->bytes.view();
        auto next = channel.wait();
        if (!next) return 0;  // the client has gone
        message = std::move(next.value());
    }
}

}  // namespace greeter
