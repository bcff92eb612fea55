module @paged_attention_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x6x32xbf16>, %arg1: tensor<24x2x32xbf16>, %arg2: tensor<24x2x32xbf16>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>) -> (tensor<5x6x32xbf16>) {
    %0 = stablehlo.constant dense<4> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %2 = stablehlo.multiply %arg3, %1 : tensor<2x3xi32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x4xi32>
    %4 = stablehlo.iota dim = 2 : tensor<2x3x4xi32>
    %5 = stablehlo.add %3, %4 : tensor<2x3x4xi32>
    %6 = stablehlo.reshape %5 : (tensor<2x3x4xi32>) -> tensor<2x12xi32>
    %7 = "stablehlo.gather"(%6, %arg4) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 12>}> : (tensor<2x12xi32>, tensor<5xi32>) -> tensor<5x12xi32>
    %8 = stablehlo.iota dim = 2 : tensor<5x1x12xi32>
    %9 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<5xi32>) -> tensor<5x1x12xi32>
    %10 = stablehlo.compare LE, %8, %9, SIGNED : (tensor<5x1x12xi32>, tensor<5x1x12xi32>) -> tensor<5x1x12xi1>
    %11 = "stablehlo.gather"(%arg1, %7) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<24x2x32xbf16>, tensor<5x12xi32>) -> tensor<5x12x2x32xbf16>
    %12 = stablehlo.transpose %11, dims = [0, 2, 1, 3] : (tensor<5x12x2x32xbf16>) -> tensor<5x2x12x32xbf16>
    %13 = "stablehlo.gather"(%arg2, %7) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<24x2x32xbf16>, tensor<5x12xi32>) -> tensor<5x12x2x32xbf16>
    %14 = stablehlo.transpose %13, dims = [0, 2, 1, 3] : (tensor<5x12x2x32xbf16>) -> tensor<5x2x12x32xbf16>
    %15 = stablehlo.reshape %arg0 : (tensor<5x6x32xbf16>) -> tensor<5x2x3x1x32xbf16>
    %16 = stablehlo.dot_general %15, %12, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3] : (tensor<5x2x3x1x32xbf16>, tensor<5x2x12x32xbf16>) -> tensor<5x2x3x1x12xf32>
    %17 = stablehlo.constant dense<0.17677669> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x12xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<5x2x3x1x12xf32>
    %20 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %10, dims = [0, 3, 4] : (tensor<5x1x12xi1>) -> tensor<5x2x3x1x12xi1>
    %22 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x12xf32>
    %23 = stablehlo.select %21, %19, %22 : tensor<5x2x3x1x12xi1>, tensor<5x2x3x1x12xf32>
    %24 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x12xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x12xf32>
    %27 = stablehlo.subtract %23, %26 : tensor<5x2x3x1x12xf32>
    %28 = stablehlo.exponential %27 : tensor<5x2x3x1x12xf32>
    %29 = stablehlo.constant dense<0.0> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x12xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x12xf32>
    %32 = stablehlo.divide %28, %31 : tensor<5x2x3x1x12xf32>
    %33 = stablehlo.convert %32 : (tensor<5x2x3x1x12xf32>) -> tensor<5x2x3x1x12xbf16>
    %34 = stablehlo.dot_general %33, %14, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2] : (tensor<5x2x3x1x12xbf16>, tensor<5x2x12x32xbf16>) -> tensor<5x2x3x1x32xf32>
    %35 = stablehlo.convert %34 : (tensor<5x2x3x1x32xf32>) -> tensor<5x2x3x1x32xbf16>
    %36 = stablehlo.reshape %35 : (tensor<5x2x3x1x32xbf16>) -> tensor<5x6x32xbf16>
    return %36 : tensor<5x6x32xbf16>
  }
}
