// SPDX-License-Identifier: MIT
// What OpenSSL reads of an upload: record after record, out of a buffer that is filled only when it
// is empty. So OpenSSL decrypts in the same small place again and again, which stays in the CPU's
// nearest cache, and the client is acknowledged in large steps. Runs in the session.
#pragma once

#include <openssl/bio.h>

#include <cstddef>
#include <memory>

namespace tls {

class Batches {
  public:
    // The socket stays the caller's; it is never waited for.
    explicit Batches(int socket) : socket_(socket) {}
    Batches(const Batches&) = delete;
    Batches& operator=(const Batches&) = delete;

    // A new one, the caller's, which must not outlive this; nullptr without memory. What it says is
    // what recv(2) said: unlike BIO_f_buffer(3) it asks once, so that no error gets lost behind
    // bytes that came before it.
    [[nodiscard]] BIO* bio();

    // From the next one on, batches may be large. (Small uploads do without the memory.)
    void expect_much() { much_ = true; }

    static constexpr std::size_t small = 4 << 10;
    static constexpr std::size_t large = 256 << 10;

  private:
    static const BIO_METHOD* method();
    static int read(BIO* bio, char* to, std::size_t wanted, std::size_t* got);
    static long control(BIO* bio, int command, long number, void* pointer);
    void make_room();

    int socket_;
    bool much_ = false;
    bool ended_ = false;
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
};

}  // namespace tls
