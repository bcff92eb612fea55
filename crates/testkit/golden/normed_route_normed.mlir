module @normed_route_normed attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xbf16>, %arg1: tensor<6x9xbf16>, %arg2: tensor<6xf32>, %arg3: tensor<9xbf16>) -> (tensor<5x9xbf16>) {
    %0 = stablehlo.convert %arg0 : (tensor<5x9xbf16>) -> tensor<5x9xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<5x9xf32>
    %2 = stablehlo.constant dense<0.0> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [1] : (tensor<5x9xf32>, tensor<f32>) -> tensor<5xf32>
    %4 = stablehlo.constant dense<0.11111111> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %6 = stablehlo.multiply %3, %5 : tensor<5xf32>
    %7 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %9 = stablehlo.add %6, %8 : tensor<5xf32>
    %10 = stablehlo.rsqrt %9 : tensor<5xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<5xf32>) -> tensor<5x9xf32>
    %12 = stablehlo.multiply %0, %11 : tensor<5x9xf32>
    %13 = stablehlo.convert %12 : (tensor<5x9xf32>) -> tensor<5x9xbf16>
    %14 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<9xbf16>) -> tensor<5x9xbf16>
    %15 = stablehlo.multiply %13, %14 : tensor<5x9xbf16>
    return %15 : tensor<5x9xbf16>
  }
}
