// SPDX-License-Identifier: MIT
// The signer as the supervisor sees it: started with a configuration, asked for signatures, started
// again when it dies; runs as root, and never sees a key.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/certificates.hpp"
#include "ipc/requests.hpp"
#include "supervisor/async_channel.hpp"
#include "supervisor/roles.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <sys/types.h>

namespace supervisor {

// A signer that has its keys, and what everybody may know of them.
struct ReadySigner {
    Started process;
    base::Fd configuration;  // its own, to start another one
    base::Fd certificates;   // sealed, for spawners
    std::vector<ipc::Certificate> known;
};

// Waits until it has read its files; the error names the file at fault. Any thread may do this.
[[nodiscard]] base::Result<ReadySigner> start_signer(base::Fd configuration);

// Lives as long as clients of its generation.
class SignerClient : public std::enable_shared_from_this<SignerClient> {
  public:
    using Callback = std::function<void(const ipc::SignedFor&)>;
    // Told of each process that is started, which the supervisor will have to reap.
    using OnStart = std::function<void(pid_t)>;

    SignerClient(boost::asio::io_context& io, ReadySigner signer, OnStart on_start);
    ~SignerClient();
    SignerClient(const SignerClient&) = delete;
    SignerClient& operator=(const SignerClient&) = delete;

    void start();

    // Called once, later: EPIPE when the signer dies, ETIMEDOUT when it hangs.
    void ask(const ipc::ToSign& what, Callback callback);

  private:
    struct Pending {
        Callback callback;
        boost::asio::steady_timer deadline;
    };

    void attach(ipc::Channel channel);
    void on_message(const ipc::Message& message);
    void lost();
    void restart();
    void answer(const ipc::SignedFor& said);
    void answer_failure(std::uint64_t id, int number);

    boost::asio::io_context& io_;
    pid_t pid_;
    ipc::Channel unattached_;
    base::Fd configuration_;
    OnStart on_start_;
    std::unique_ptr<AsyncChannel> channel_;
    boost::asio::steady_timer restart_;
    std::map<std::uint64_t, Pending> pending_;
    std::uint64_t last_id_ = 0;
};

}  // namespace supervisor
