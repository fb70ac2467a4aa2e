// The parts of TensorFlow Lite's FlatBuffer schema that the engine and the operators read: field ids and enums
// under the schema's own names. Source: tensorflow/compiler/mlir/lite/schema/schema.fbs (version 3).

#ifndef ARENITE_ENGINE_SCHEMA_H
#define ARENITE_ENGINE_SCHEMA_H

enum { MODEL_VERSION = 0, MODEL_OPERATOR_CODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4, MODEL_METADATA = 6 };

enum { METADATA_NAME = 0, METADATA_BUFFER = 1 };

enum {
    OPERATOR_CODE_DEPRECATED_BUILTIN_CODE = 0, OPERATOR_CODE_CUSTOM_CODE = 1, OPERATOR_CODE_BUILTIN_CODE = 3,
};

enum { SUBGRAPH_TENSORS = 0, SUBGRAPH_INPUTS = 1, SUBGRAPH_OUTPUTS = 2, SUBGRAPH_OPERATORS = 3 };

enum {
    TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3, TENSOR_QUANTIZATION = 4,
    TENSOR_IS_VARIABLE = 5, TENSOR_SPARSITY = 6,
};

enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT = 3, QUANTIZATION_QUANTIZED_DIMENSION = 6 };

enum { BUFFER_DATA = 0, BUFFER_OFFSET = 1, BUFFER_SIZE = 2 };

enum {
    OPERATOR_OPCODE_INDEX = 0, OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS = 2, OPERATOR_BUILTIN_OPTIONS_TYPE = 3,
    OPERATOR_BUILTIN_OPTIONS = 4, OPERATOR_CUSTOM_OPTIONS = 5,
};

// BuiltinOperator: all but the StableHLO ones, whether compiled in or not.
enum {
    ADD = 0, AVERAGE_POOL_2D = 1, CONCATENATION = 2, CONV_2D = 3, DEPTHWISE_CONV_2D = 4, DEPTH_TO_SPACE = 5,
    DEQUANTIZE = 6, EMBEDDING_LOOKUP = 7, FLOOR = 8, FULLY_CONNECTED = 9, HASHTABLE_LOOKUP = 10,
    L2_NORMALIZATION = 11, L2_POOL_2D = 12, LOCAL_RESPONSE_NORMALIZATION = 13, LOGISTIC = 14, LSH_PROJECTION = 15,
    LSTM = 16, MAX_POOL_2D = 17, MUL = 18, RELU = 19, RELU_N1_TO_1 = 20, RELU6 = 21, RESHAPE = 22,
    RESIZE_BILINEAR = 23, RNN = 24, SOFTMAX = 25, SPACE_TO_DEPTH = 26, SVDF = 27, TANH = 28, CONCAT_EMBEDDINGS = 29,
    SKIP_GRAM = 30, CALL = 31, CUSTOM = 32, EMBEDDING_LOOKUP_SPARSE = 33, PAD = 34, UNIDIRECTIONAL_SEQUENCE_RNN = 35,
    GATHER = 36, BATCH_TO_SPACE_ND = 37, SPACE_TO_BATCH_ND = 38, TRANSPOSE = 39, MEAN = 40, SUB = 41, DIV = 42,
    SQUEEZE = 43, UNIDIRECTIONAL_SEQUENCE_LSTM = 44, STRIDED_SLICE = 45, BIDIRECTIONAL_SEQUENCE_RNN = 46, EXP = 47,
    TOPK_V2 = 48, SPLIT = 49, LOG_SOFTMAX = 50, DELEGATE = 51, BIDIRECTIONAL_SEQUENCE_LSTM = 52, CAST = 53,
    PRELU = 54, MAXIMUM = 55, ARG_MAX = 56, MINIMUM = 57, LESS = 58, NEG = 59, PADV2 = 60, GREATER = 61,
    GREATER_EQUAL = 62, LESS_EQUAL = 63, SELECT = 64, SLICE = 65, SIN = 66, TRANSPOSE_CONV = 67, SPARSE_TO_DENSE = 68,
    TILE = 69, EXPAND_DIMS = 70, EQUAL = 71, NOT_EQUAL = 72, LOG = 73, SUM = 74, SQRT = 75, RSQRT = 76, SHAPE = 77,
    POW = 78, ARG_MIN = 79, FAKE_QUANT = 80, REDUCE_PROD = 81, REDUCE_MAX = 82, PACK = 83, LOGICAL_OR = 84,
    ONE_HOT = 85, LOGICAL_AND = 86, LOGICAL_NOT = 87, UNPACK = 88, REDUCE_MIN = 89, FLOOR_DIV = 90, REDUCE_ANY = 91,
    SQUARE = 92, ZEROS_LIKE = 93, FILL = 94, FLOOR_MOD = 95, RANGE = 96, RESIZE_NEAREST_NEIGHBOR = 97,
    LEAKY_RELU = 98, SQUARED_DIFFERENCE = 99, MIRROR_PAD = 100, ABS = 101, SPLIT_V = 102, UNIQUE = 103, CEIL = 104,
    REVERSE_V2 = 105, ADD_N = 106, GATHER_ND = 107, COS = 108, WHERE = 109, RANK = 110, ELU = 111,
    REVERSE_SEQUENCE = 112, MATRIX_DIAG = 113, QUANTIZE = 114, MATRIX_SET_DIAG = 115, ROUND = 116, HARD_SWISH = 117,
    IF = 118, WHILE = 119, NON_MAX_SUPPRESSION_V4 = 120, NON_MAX_SUPPRESSION_V5 = 121, SCATTER_ND = 122,
    SELECT_V2 = 123, DENSIFY = 124, SEGMENT_SUM = 125, BATCH_MATMUL = 126, PLACEHOLDER_FOR_GREATER_OP_CODES = 127,
    CUMSUM = 128, CALL_ONCE = 129, BROADCAST_TO = 130, RFFT2D = 131, CONV_3D = 132, IMAG = 133, REAL = 134,
    COMPLEX_ABS = 135, HASHTABLE = 136, HASHTABLE_FIND = 137, HASHTABLE_IMPORT = 138, HASHTABLE_SIZE = 139,
    REDUCE_ALL = 140, CONV_3D_TRANSPOSE = 141, VAR_HANDLE = 142, READ_VARIABLE = 143, ASSIGN_VARIABLE = 144,
    BROADCAST_ARGS = 145, RANDOM_STANDARD_NORMAL = 146, BUCKETIZE = 147, RANDOM_UNIFORM = 148, MULTINOMIAL = 149,
    GELU = 150, DYNAMIC_UPDATE_SLICE = 151, RELU_0_TO_1 = 152, UNSORTED_SEGMENT_PROD = 153,
    UNSORTED_SEGMENT_MAX = 154, UNSORTED_SEGMENT_SUM = 155, ATAN2 = 156, UNSORTED_SEGMENT_MIN = 157, SIGN = 158,
    BITCAST = 159, BITWISE_XOR = 160, RIGHT_SHIFT = 161,
};

// BuiltinOptions: the types of the union.
enum {
    NoOptions = 0, Conv2DOptions = 1, DepthwiseConv2DOptions = 2, ConcatEmbeddingsOptions = 3,
    LSHProjectionOptions = 4, Pool2DOptions = 5, SVDFOptions = 6, RNNOptions = 7, FullyConnectedOptions = 8,
    SoftmaxOptions = 9, ConcatenationOptions = 10, AddOptions = 11, L2NormOptions = 12,
    LocalResponseNormalizationOptions = 13, LSTMOptions = 14, ResizeBilinearOptions = 15, CallOptions = 16,
    ReshapeOptions = 17, SkipGramOptions = 18, SpaceToDepthOptions = 19, EmbeddingLookupSparseOptions = 20,
    MulOptions = 21, PadOptions = 22, GatherOptions = 23, BatchToSpaceNDOptions = 24, SpaceToBatchNDOptions = 25,
    TransposeOptions = 26, ReducerOptions = 27, SubOptions = 28, DivOptions = 29, SqueezeOptions = 30,
    SequenceRNNOptions = 31, StridedSliceOptions = 32, ExpOptions = 33, TopKV2Options = 34, SplitOptions = 35,
    LogSoftmaxOptions = 36, CastOptions = 37, DequantizeOptions = 38, MaximumMinimumOptions = 39, ArgMaxOptions = 40,
    LessOptions = 41, NegOptions = 42, PadV2Options = 43, GreaterOptions = 44, GreaterEqualOptions = 45,
    LessEqualOptions = 46, SelectOptions = 47, SliceOptions = 48, TransposeConvOptions = 49,
    SparseToDenseOptions = 50, TileOptions = 51, ExpandDimsOptions = 52, EqualOptions = 53, NotEqualOptions = 54,
    ShapeOptions = 55, PowOptions = 56, ArgMinOptions = 57, FakeQuantOptions = 58, PackOptions = 59,
    LogicalOrOptions = 60, OneHotOptions = 61, LogicalAndOptions = 62, LogicalNotOptions = 63, UnpackOptions = 64,
    FloorDivOptions = 65, SquareOptions = 66, ZerosLikeOptions = 67, FillOptions = 68,
    BidirectionalSequenceLSTMOptions = 69, BidirectionalSequenceRNNOptions = 70,
    UnidirectionalSequenceLSTMOptions = 71, FloorModOptions = 72, RangeOptions = 73,
    ResizeNearestNeighborOptions = 74, LeakyReluOptions = 75, SquaredDifferenceOptions = 76, MirrorPadOptions = 77,
    AbsOptions = 78, SplitVOptions = 79, UniqueOptions = 80, ReverseV2Options = 81, AddNOptions = 82,
    GatherNdOptions = 83, CosOptions = 84, WhereOptions = 85, RankOptions = 86, ReverseSequenceOptions = 87,
    MatrixDiagOptions = 88, QuantizeOptions = 89, MatrixSetDiagOptions = 90, HardSwishOptions = 91, IfOptions = 92,
    WhileOptions = 93, DepthToSpaceOptions = 94, NonMaxSuppressionV4Options = 95, NonMaxSuppressionV5Options = 96,
    ScatterNdOptions = 97, SelectV2Options = 98, DensifyOptions = 99, SegmentSumOptions = 100,
    BatchMatMulOptions = 101, CumsumOptions = 102, CallOnceOptions = 103, BroadcastToOptions = 104,
    Rfft2dOptions = 105, Conv3DOptions = 106, HashtableOptions = 107, HashtableFindOptions = 108,
    HashtableImportOptions = 109, HashtableSizeOptions = 110, VarHandleOptions = 111, ReadVariableOptions = 112,
    AssignVariableOptions = 113, RandomOptions = 114, BucketizeOptions = 115, GeluOptions = 116,
    DynamicUpdateSliceOptions = 117, UnsortedSegmentProdOptions = 118, UnsortedSegmentMaxOptions = 119,
    UnsortedSegmentMinOptions = 120, UnsortedSegmentSumOptions = 121, ATan2Options = 122, SignOptions = 123,
    BitcastOptions = 124, BitwiseXorOptions = 125, RightShiftOptions = 126,
};

enum { PADDING_SAME = 0, PADDING_VALID = 1 };

enum {
    ACTIVATION_NONE = 0, ACTIVATION_RELU = 1, ACTIVATION_RELU_N1_TO_1 = 2, ACTIVATION_RELU6 = 3,
    ACTIVATION_TANH = 4, ACTIVATION_SIGN_BIT = 5,
};

enum {
    CONV_2D_PADDING = 0, CONV_2D_STRIDE_W = 1, CONV_2D_STRIDE_H = 2, CONV_2D_ACTIVATION = 3,
    CONV_2D_DILATION_W = 4, CONV_2D_DILATION_H = 5,
};

enum {
    DEPTHWISE_PADDING = 0, DEPTHWISE_STRIDE_W = 1, DEPTHWISE_STRIDE_H = 2, DEPTHWISE_DEPTH_MULTIPLIER = 3,
    DEPTHWISE_ACTIVATION = 4, DEPTHWISE_DILATION_W = 5, DEPTHWISE_DILATION_H = 6,
};

enum {
    POOL_2D_PADDING = 0, POOL_2D_STRIDE_W = 1, POOL_2D_STRIDE_H = 2, POOL_2D_FILTER_W = 3, POOL_2D_FILTER_H = 4,
    POOL_2D_ACTIVATION = 5,
};

enum { FULLY_CONNECTED_ACTIVATION = 0, FULLY_CONNECTED_WEIGHTS_FORMAT = 1, FULLY_CONNECTED_KEEP_NUM_DIMS = 2 };
enum { SVDF_RANK = 0, SVDF_ACTIVATION = 1 };
enum { BATCH_MATMUL_ADJ_X = 0, BATCH_MATMUL_ADJ_Y = 1 };
enum { TRANSPOSE_CONV_PADDING = 0, TRANSPOSE_CONV_STRIDE_W = 1, TRANSPOSE_CONV_STRIDE_H = 2, TRANSPOSE_CONV_ACTIVATION = 3 };
enum { LSTM_ACTIVATION = 0, LSTM_CELL_CLIP = 1, LSTM_TIME_MAJOR = 3, LSTM_DIAGONAL = 5 };
enum { ARITHMETIC_ACTIVATION = 0 }; // of AddOptions, SubOptions, MulOptions, DivOptions
enum { SOFTMAX_BETA = 0 };
enum { LEAKY_RELU_ALPHA = 0 };
enum { L2_NORMALIZATION_ACTIVATION = 0 };
enum { REDUCER_KEEP_DIMS = 0 };
enum { CUMSUM_EXCLUSIVE = 0, CUMSUM_REVERSE = 1 };
enum { CONCATENATION_AXIS = 0, CONCATENATION_ACTIVATION = 1, PACK_AXIS = 1, UNPACK_AXIS = 1 };
enum {
    STRIDED_SLICE_BEGIN_MASK = 0, STRIDED_SLICE_END_MASK = 1, STRIDED_SLICE_ELLIPSIS_MASK = 2,
    STRIDED_SLICE_NEW_AXIS_MASK = 3, STRIDED_SLICE_SHRINK_AXIS_MASK = 4, STRIDED_SLICE_OFFSET = 5,
};
enum { BLOCK_SIZE = 0 }; // of SpaceToDepthOptions, DepthToSpaceOptions
enum { MIRROR_PAD_MODE = 0, MIRROR_REFLECT = 0, MIRROR_SYMMETRIC = 1 };
enum { SQUEEZE_DIMS = 0 };
enum { GATHER_AXIS = 0, GATHER_BATCH_DIMS = 1 };
enum { RESIZE_BILINEAR_ALIGN_CORNERS = 2, RESIZE_BILINEAR_HALF_PIXEL_CENTERS = 3 };
enum { RESIZE_NEAREST_ALIGN_CORNERS = 0, RESIZE_NEAREST_HALF_PIXEL_CENTERS = 1 };
enum { IF_THEN = 0, IF_ELSE = 1 };
enum { WHILE_CONDITION = 0, WHILE_BODY = 1 };
enum { CALL_ONCE_INIT = 0 };
enum { VAR_HANDLE_CONTAINER = 0, VAR_HANDLE_SHARED_NAME = 1 };

#endif // ARENITE_ENGINE_SCHEMA_H
