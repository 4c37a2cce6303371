/* Seconds between the first two CPUs that this process may use, in some milliseconds; 0 where it has only one. */
double seconds_for_line(void);
