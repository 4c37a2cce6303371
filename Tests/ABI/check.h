/* A test is a function that CHECKs; each runs in a process of its own, so that a crash is one failed test and what one
 * test does to the process does not reach the next. The last line of output is "N passed, N failed". */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct { const char *name; void (*run)(void); } test_case;
#define TEST(function) { #function, function }

static int check_failures;

__attribute__((format(printf, 1, 2))) static void check_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

/* Counts and shows the first failures; the test goes on. */
#define CHECK(condition, ...)                                                                     \
    do {                                                                                          \
        if (!(condition) && ++check_failures <= 10) {                                             \
            printf("%s:%d: %s:", __FILE__, __LINE__, #condition);                                \
            check_note(" " __VA_ARGS__);                                                          \
            printf("\n");                                                                         \
        }                                                                                         \
    } while (0)

/* For what the rest of the test cannot do without. */
#define REQUIRE(condition, ...)                                                                   \
    do {                                                                                          \
        CHECK(condition, __VA_ARGS__);                                                            \
        if (check_failures) {                                                                     \
            fflush(stdout);                                                                       \
            _exit(1);                                                                             \
        }                                                                                         \
    } while (0)

static int check_run_one(const test_case *test, int in_process)
{
    int status = 0;
    fflush(stdout);
    if (in_process) {
        int before = check_failures;
        test->run();
        return check_failures == before;
    }
    pid_t child = fork();
    if (child == 0) {
        alarm(300); /* a test that hangs is a failed one */
        test->run();
        fflush(stdout);
        exit(check_failures ? 1 : 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return 0;
    if (WIFSIGNALED(status)) printf("%s: died of signal %d (%s)\n", test->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Arguments: names of tests to run (all by default), "--in-process" for one process (valgrind). */
__attribute__((unused)) static int run_tests(const test_case *tests, size_t count, int argc, char **argv)
{
    int passed = 0, failed = 0, in_process = 0, named = 0;
    for (int a = 1; a < argc; a++) {
        if (strcmp(argv[a], "--in-process") == 0) in_process = 1;
        else named = 1;
    }
    for (size_t i = 0; i < count; i++) {
        int wanted = !named;
        for (int a = 1; a < argc; a++) wanted |= strcmp(argv[a], tests[i].name) == 0;
        if (!wanted) continue;
        int ok = check_run_one(&tests[i], in_process);
        if (!ok) printf("FAILED %s\n", tests[i].name);
        passed += ok;
        failed += !ok;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed || passed == 0;
}
#define RUN_TESTS(tests, argc, argv) run_tests(tests, sizeof(tests) / sizeof((tests)[0]), argc, argv)

#endif
