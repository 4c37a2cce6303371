/* How long a cache line takes from one CPU to another: two threads on two CPUs write it in turns. Where the CPUs have a cache in common that is
 * mostly below 150 ns. On a virtual machine the host may move them from one moment to the next. */
#define _GNU_SOURCE
#include "clock.h"
#include "line.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { FIRST = 2000, TURNS = 22000 };

/* A line and its neighbour, which some CPUs fetch with it. */
static struct {
    int turn;
    char rest[124];
} shared __attribute__((aligned(128)));

typedef struct {
    int cpu, first;
    double used; /* seconds, from turn FIRST on */
} player;

/* One has the even turns, the other the odd ones. */
static void *play(void *argument)
{
    player *self = argument;
    double start = 0;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(self->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    for (int turn = self->first; turn < TURNS; turn += 2) {
        while (__atomic_load_n(&shared.turn, __ATOMIC_ACQUIRE) != turn) { }
        if (turn == FIRST) start = seconds();
        __atomic_store_n(&shared.turn, turn + 1, __ATOMIC_RELEASE);
    }
    self->used = seconds() - start;
    return NULL;
}

double seconds_for_line(void)
{
    cpu_set_t allowed;
    pthread_t threads[2];
    player players[2];
    int count = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < 2; cpu++)
        if (CPU_ISSET(cpu, &allowed)) players[count] = (player){cpu, count, 0}, count++;
    if (count < 2) return 0;
    shared.turn = 0;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, play, &players[i]) != 0) exit(1);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    return players[0].used / (TURNS - FIRST);
}
