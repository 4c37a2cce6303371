/* Trains a few small networks; a line each with the hash (FNV-1a) of the model's bytes, to be compared between instruction sets. */
#include "support.h"

static void train(int32_t architecture, int32_t height, int32_t width, int32_t channels)
{
    static const uint64_t prime = 1099511628211u;
    uint64_t hash = 14695981039346656037u;
    diptych_dataset *digits = NULL;
    diptych_pairs *pairs = NULL;
    diptych_model *model = NULL;
    diptych_model_options o;
    diptych_trainer_options options = trainer_options(2, 2, 3);
    bytes file;
    OK(diptych_dataset_sample(DIPTYCH_SAMPLE_TRAIN, &digits));
    OK(diptych_pairs_draw(digits, 150, height, width, 3, &pairs));
    OK(diptych_model_options_init(&o, sizeof o));
    o.architecture = architecture;
    o.height = height;
    o.width = width;
    o.channels = channels;
    o.mlp_width1 = 1000;
    o.mlp_width2 = 500;
    OK(diptych_model_create(&o, &model));
    options.batch_size = 40;
    OK(diptych_train(model, pairs, &options, NULL, NULL));
    file = model_bytes(model);
    for (size_t i = 0; i < file.size; i++) hash = (hash ^ file.data[i]) * prime;
    printf("%d %dx%d %d %016llx\n", (int)architecture, (int)height, (int)width, (int)channels, (unsigned long long)hash);
    free(file.data);
    diptych_model_free(model);
    diptych_pairs_free(pairs);
    diptych_dataset_free(digits);
}

int main(void)
{
    fprintf(stderr, "%s\n", diptych_build_info());
    train(DIPTYCH_SIAMESE, 14, 14, 32);
    train(DIPTYCH_RWS, 14, 14, 32);
    train(DIPTYCH_SIAMESE, 9, 11, 24);
    train(DIPTYCH_SIAMESE, 20, 24, 16);
    train(DIPTYCH_RWS, 13, 16, 48);
    train(DIPTYCH_RWS, 13, 16, 56);
    train(DIPTYCH_SIAMESE, 32, 32, 8);
    train(DIPTYCH_MLP, 14, 14, 32);
    return 0;
}
