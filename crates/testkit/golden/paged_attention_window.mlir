module @paged_attention_window attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x6x6xf32>, %arg1: tensor<24x2x6xf32>, %arg2: tensor<24x2x6xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>) -> (tensor<5x6x6xf32>) {
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
    %11 = stablehlo.subtract %9, %8 : tensor<5x1x12xi32>
    %12 = stablehlo.constant dense<3> : tensor<i32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [] : (tensor<i32>) -> tensor<5x1x12xi32>
    %14 = stablehlo.compare LT, %11, %13, SIGNED : (tensor<5x1x12xi32>, tensor<5x1x12xi32>) -> tensor<5x1x12xi1>
    %15 = stablehlo.and %10, %14 : tensor<5x1x12xi1>
    %16 = "stablehlo.gather"(%arg1, %7) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 6>}> : (tensor<24x2x6xf32>, tensor<5x12xi32>) -> tensor<5x12x2x6xf32>
    %17 = stablehlo.transpose %16, dims = [0, 2, 1, 3] : (tensor<5x12x2x6xf32>) -> tensor<5x2x12x6xf32>
    %18 = "stablehlo.gather"(%arg2, %7) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 6>}> : (tensor<24x2x6xf32>, tensor<5x12xi32>) -> tensor<5x12x2x6xf32>
    %19 = stablehlo.transpose %18, dims = [0, 2, 1, 3] : (tensor<5x12x2x6xf32>) -> tensor<5x2x12x6xf32>
    %20 = stablehlo.reshape %arg0 : (tensor<5x6x6xf32>) -> tensor<5x2x3x1x6xf32>
    %21 = stablehlo.dot_general %20, %17, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x6xf32>, tensor<5x2x12x6xf32>) -> tensor<5x2x3x1x12xf32>
    %22 = stablehlo.constant dense<0.4082483> : tensor<f32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x12xf32>
    %24 = stablehlo.multiply %21, %23 : tensor<5x2x3x1x12xf32>
    %25 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %15, dims = [0, 3, 4] : (tensor<5x1x12xi1>) -> tensor<5x2x3x1x12xi1>
    %27 = stablehlo.broadcast_in_dim %25, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x12xf32>
    %28 = stablehlo.select %26, %24, %27 : tensor<5x2x3x1x12xi1>, tensor<5x2x3x1x12xf32>
    %29 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x12xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x12xf32>
    %32 = stablehlo.subtract %28, %31 : tensor<5x2x3x1x12xf32>
    %33 = stablehlo.exponential %32 : tensor<5x2x3x1x12xf32>
    %34 = stablehlo.constant dense<0.0> : tensor<f32>
    %35 = stablehlo.reduce(%33 init: %34) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x12xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x12xf32>
    %37 = stablehlo.divide %33, %36 : tensor<5x2x3x1x12xf32>
    %38 = stablehlo.dot_general %37, %19, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x12xf32>, tensor<5x2x12x6xf32>) -> tensor<5x2x3x1x6xf32>
    %39 = stablehlo.reshape %38 : (tensor<5x2x3x1x6xf32>) -> tensor<5x6x6xf32>
    return %39 : tensor<5x6x6xf32>
  }
}
