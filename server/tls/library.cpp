// SPDX-License-Identifier: MIT
// The library context, random numbers after a fork, and errors in words.
#include "tls/library.hpp"

#include "tls/remote_key.hpp"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include <sys/random.h>

namespace tls {

using base::Error;
using base::Result;
using base::system_error;

namespace {

OSSL_LIB_CTX* make_library() {
    // Also keeps SSL_CTX_new_ex from loading openssl.cnf later.
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr) != 1)
        throw std::runtime_error(openssl_error("OpenSSL does not start").text());
    auto* made = OSSL_LIB_CTX_new();
    if (made == nullptr || OSSL_PROVIDER_load(made, "default") == nullptr)
        throw std::runtime_error(openssl_error("OpenSSL has no provider").text());
    return made;
}

Result<void> reseed(OSSL_LIB_CTX* context) {
    std::array<unsigned char, 48> fresh{};
    if (::getrandom(fresh.data(), fresh.size(), 0) != static_cast<ssize_t>(fresh.size()))
        return system_error("getrandom");
    // The primary one first, from which the others are seeded.
    for (auto* get : {&RAND_get0_primary, &RAND_get0_public, &RAND_get0_private}) {
        auto* generator = get(context);
        if (generator == nullptr ||
            EVP_RAND_reseed(generator, 1, nullptr, 0, fresh.data(), fresh.size()) != 1)
            return openssl_error("cannot reseed the random generator");
    }
    return base::success();
}

}  // namespace

OSSL_LIB_CTX* library() {
    static OSSL_LIB_CTX* const instance = make_library();  // lives as long as the process
    return instance;
}

void prepare() {
    // Also whoever asks OpenSSL without our context has it: one set of generators to reseed.
    (void)OSSL_LIB_CTX_set0_default(library());
    std::array<unsigned char, 1> byte{};
    if (RAND_bytes_ex(library(), byte.data(), byte.size(), 0) != 1 ||
        RAND_priv_bytes_ex(library(), byte.data(), byte.size(), 0) != 1)
        throw std::runtime_error(openssl_error("no random numbers").text());
    prepare_remote_keys();
}

Result<void> reseed_after_fork() { return reseed(library()); }

std::string openssl_reason() {
    const char* data = nullptr;
    int flags = 0;
    const auto code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
    if (code == 0) return "no reason given";
    const auto* reason = ERR_reason_error_string(code);
    std::string text = reason == nullptr ? "error " + std::to_string(code) : reason;
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0')
        text += " (" + std::string(data) + ')';
    ERR_clear_error();
    return text;
}

Error openssl_error(const std::string& what) { return {what + ": " + openssl_reason(), 0}; }

Bio reading(std::string_view text) {
    return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

const BIO_METHOD* new_bio_method(const char* name,
                                 int (*read)(BIO*, char*, std::size_t, std::size_t*),
                                 int (*write)(BIO*, const char*, std::size_t, std::size_t*),
                                 long (*control)(BIO*, int, long, void*)) {
    const auto create = [](BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    };
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, name);
    if (made == nullptr || BIO_meth_set_read_ex(made, read) != 1 ||
        BIO_meth_set_write_ex(made, write) != 1 || BIO_meth_set_ctrl(made, control) != 1 ||
        BIO_meth_set_create(made, create) != 1)
        throw std::runtime_error(openssl_error("no BIO").text());
    return made;
}

}  // namespace tls
