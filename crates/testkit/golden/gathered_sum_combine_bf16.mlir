module @gathered_sum_combine_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xbf16>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x21xbf16>) -> (tensor<4x21xbf16>, tensor<9x21xbf16>) {
    %0 = stablehlo.constant dense<0> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %2 = stablehlo.maximum %arg1, %1 : tensor<4x2xi32>
    %3 = stablehlo.compare GE, %arg1, %1, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %4 = "stablehlo.gather"(%arg0, %2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xbf16>, tensor<4x2xi32>) -> tensor<4x2x21xbf16>
    %5 = stablehlo.constant dense<0.0> : tensor<bf16>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<bf16>) -> tensor<4x2x21xbf16>
    %7 = stablehlo.broadcast_in_dim %3, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %8 = stablehlo.select %7, %4, %6 : tensor<4x2x21xi1>, tensor<4x2x21xbf16>
    %9 = stablehlo.convert %8 : (tensor<4x2x21xbf16>) -> tensor<4x2x21xf32>
    %10 = stablehlo.constant dense<0.0> : tensor<f32>
    %11 = stablehlo.reduce(%9 init: %10) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    %12 = stablehlo.convert %11 : (tensor<4x21xf32>) -> tensor<4x21xbf16>
    %13 = stablehlo.reshape %arg2 : (tensor<9x1xi32>) -> tensor<9xi32>
    %14 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %15 = stablehlo.maximum %13, %14 : tensor<9xi32>
    %16 = stablehlo.convert %15 : (tensor<9xi32>) -> tensor<9xf32>
    %17 = stablehlo.constant dense<0.5> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %19 = stablehlo.add %16, %18 : tensor<9xf32>
    %20 = stablehlo.constant dense<2.0> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<9xf32>
    %22 = stablehlo.divide %19, %21 : tensor<9xf32>
    %23 = stablehlo.floor %22 : tensor<9xf32>
    %24 = stablehlo.convert %23 : (tensor<9xf32>) -> tensor<9xi32>
    %25 = stablehlo.compare GE, %13, %14, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %26 = "stablehlo.gather"(%arg3, %24) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<4x21xbf16>, tensor<9xi32>) -> tensor<9x21xbf16>
    %27 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<bf16>) -> tensor<9x21xbf16>
    %28 = stablehlo.broadcast_in_dim %25, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %29 = stablehlo.select %28, %26, %27 : tensor<9x21xi1>, tensor<9x21xbf16>
    return %12, %29 : tensor<4x21xbf16>, tensor<9x21xbf16>
  }
}
