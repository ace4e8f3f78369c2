// SPDX-License-Identifier: MIT
// The table of privileged requests; runs in the supervisor, as root.
#include "broker/permissions.hpp"

#include <algorithm>

namespace broker {
namespace {

using enum Phase;

struct Permission {
    ipc::Type request;
    Phase phase;
    double cost;              // tokens; 5000 come back a second, 20000 at most are kept
    std::size_t descriptors;  // that may come with it
};

// clang-format off
constexpr Permission permissions[] = {
    // request                  phase          cost  descriptors  answered by
    {ipc::Type::authenticate,   before_login, 1000,  1},          // Client::authenticate, after its delay
    {ipc::Type::sign,           before_login, 1000,  0},          // Client::sign: the signer, once
    {ipc::Type::proof_part,     before_login,  200,  0},          // ClientCertificate::show: a greeter without a client, once
    {ipc::Type::record,         before_login,  100,  0},          // Client::log
    {ipc::Type::entered,        entering,        1,  0},          // Client::entered, once
    {ipc::Type::record,         entering,        1,  0},          // Client::log
    {ipc::Type::passive_open,   after_login,     0,  0},          // DataSockets: each replaces the last, so they cannot pile up; and a token for each port tried in vain
    {ipc::Type::passive_close,  after_login,     0,  0},          // DataSockets
    {ipc::Type::active_open,    after_login,     0,  0},          // DataSockets: as passive_open
    {ipc::Type::sign,           after_login,    50,  0},          // Client::sign: the signer, once for a data connection
    {ipc::Type::record,         after_login,     1,  0},          // Client::log
    {ipc::Type::short_record,   after_login,     1,  0},          // Client::log
    {ipc::Type::name_of,        after_login,     4,  0},          // a helper, only with text_userdb_names
    {ipc::Type::home_of,        after_login,    20,  0},          // a helper, only with tilde_user_enable
    {ipc::Type::give_away,      after_login,    20,  1},          // a helper, only with chown_uploads
};
// clang-format on

constexpr double tokens_per_second = 5000;
constexpr double most_tokens = 20000;

}  // namespace

Verdict Permissions::check(ipc::Type request, Phase phase, Clock::time_point now,
                           std::size_t descriptors) {
    const auto* row = std::find_if(std::begin(permissions), std::end(permissions), [&](auto& each) {
        return each.request == request && each.phase == phase;
    });
    if (row == std::end(permissions) || descriptors > row->descriptors) return Verdict::misplaced;
    if (refilled_ == Clock::time_point{}) {
        tokens_ = most_tokens;
    } else {
        const std::chrono::duration<double> passed = now - refilled_;
        tokens_ = std::min(most_tokens, tokens_ + passed.count() * tokens_per_second);
    }
    refilled_ = now;
    if (tokens_ < row->cost) return Verdict::too_often;
    tokens_ -= row->cost;
    return Verdict::allowed;
}

}  // namespace broker
